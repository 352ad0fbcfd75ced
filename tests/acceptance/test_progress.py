"""The command and the library on the embedded AWS, as workers use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from watchbot.contract import PROGRESS_KEY
from watchbot.progress import Part, Progress, map_reduce
from watchbot_cli.local.emulator import Emulator


@pytest.fixture
def environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    created = emulator.client("dynamodb").create_table(
        TableName="progress",
        KeySchema=[{"AttributeName": PROGRESS_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": PROGRESS_KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    monkeypatch.setenv("ProgressTable", created["TableDescription"]["TableArn"])
    monkeypatch.setenv("WorkTopic", emulator.client("sns").create_topic(Name="parts")["TopicArn"])
    yield dict(os.environ)
    emulator.client("dynamodb").delete_table(TableName="progress")


def _command(environment: dict[str, str], *arguments: str) -> str:
    program = [sys.executable, "-m", "watchbot.progress.command", *arguments]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout


def test_processes_at_once_and_one_is_told_that_it_was_the_last(environment: dict[str, str]) -> None:
    _command(environment, "set-total", "job", "-t", "6")
    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(lambda part: _command(environment, "complete-part", "job", "-p", str(part)), range(1, 7)))
    assert sorted(told) == ["false\n"] * 5 + ["true\n"]
    assert json.loads(_command(environment, "status", "job", "-p", "6")) == {"progress": 1, "partComplete": True}


def test_a_job_goes_from_its_start_to_its_reduce_message(environment: dict[str, str], emulator: Emulator) -> None:
    sns, sqs = emulator.client("sns"), emulator.client("sqs")
    queue = sqs.create_queue(QueueName="parts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=environment["WorkTopic"], Protocol="sqs", Endpoint=arn)
    job = map_reduce([{"n": number} for number in range(12)], metadata={"a": 1})
    subjects: list[str] = []
    while "reduce" not in subjects:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=5)["Messages"]:
            envelope = json.loads(message["Body"])
            subjects.append(envelope["Subject"])
            if envelope["Subject"] == "map":
                with Part(**json.loads(envelope["Message"])):
                    pass
    assert subjects == ["map"] * 12 + ["reduce"]
    assert Progress().status(job).as_json() == {"progress": 1, "metadata": {"a": 1}, "reduceSent": True}
    Progress().delete(job)
    assert [*Progress().list()] == []
