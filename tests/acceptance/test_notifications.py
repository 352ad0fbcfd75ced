"""A topic with a queue for a mailbox: what the real program tells of jobs that fail."""

from __future__ import annotations

import json
import re
import signal
import time
from typing import Any

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues

_PATIENCE_SECONDS = 60


class Mailbox:
    """A topic and what it has delivered."""

    def __init__(self, queues: Queues, name: str) -> None:
        sns: Any = queues.emulator.client("sns")
        self._sqs = queues.sqs
        name = re.sub("[^A-Za-z0-9]+", "-", name)[-60:]
        self.topic_arn = sns.create_topic(Name=f"{name}-topic")["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName=f"{name}-mailbox")["QueueUrl"]
        found = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=found["QueueArn"])

    def mails(self, count: int) -> list[dict[str, str]]:
        """Wait until so many have come."""
        mails: list[dict[str, str]] = []
        until = time.monotonic() + _PATIENCE_SECONDS
        while len(mails) < count:
            assert time.monotonic() < until, f"only {mails}"
            received = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in received.get("Messages", []):
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                mails.append(json.loads(message["Body"]))
        return mails

    @property
    def is_empty(self) -> bool:
        return not self._sqs.receive_message(QueueUrl=self._queue).get("Messages")


@pytest.fixture
def mailbox(queues: Queues, request: pytest.FixtureRequest) -> Mailbox:
    return Mailbox(queues, request.node.name)


@pytest.mark.parametrize(
    ("script", "word", "said"),
    [
        ("exit 7", "failed", "Exit code: 7"),
        ("exit 3", "rejected", "The message: deleted"),
        ("exit 5", "dead-lettered", "The message: moved to the dead-letter queue: exit code 5"),
        ("kill -9 $$", "failed", "Signal: SIGKILL"),
    ],
)
def test_a_failed_job_is_told_of_with_its_message_and_the_last_lines_of_its_worker(
    queues: Queues, mailbox: Mailbox, script: str, word: str, said: str
) -> None:
    (message,) = queues.send("render 4/2/1")
    script = f"seq 100; echo über; echo to stderr >&2; {script}"
    with Program(queues, script, notification_topic_arn=mailbox.topic_arn, service="app/svc"):
        (mail,) = mailbox.mails(1)
    assert mail["Subject"] == f"app/svc: job {word}, message {message}"
    assert said in mail["Message"]
    assert "  Message: render 4/2/1\n" in mail["Message"]
    assert re.search(r"Last lines of the worker:\n  83\n(  \d+\n)*  100\n  über\n  to stderr\n$", mail["Message"])


def test_a_job_that_times_out_is_told_of(queues: Queues, mailbox: Mailbox) -> None:
    queues.send("x")
    settings = {"notification_topic_arn": mailbox.topic_arn, "job_timeout_seconds": "1"}
    with Program(queues, "echo waiting; exec sleep 60", **settings):
        (mail,) = mailbox.mails(1)
    assert "Reason: over the job timeout of 1 seconds" in mail["Message"]
    assert mail["Message"].endswith("Last lines of the worker:\n  waiting\n")


def test_jobs_that_succeed_or_wait_are_not_told_of(queues: Queues, mailbox: Mailbox) -> None:
    queues.send("true", "exit 4")
    with Program(queues, 'eval "$Message"', workers="2", notification_topic_arn=mailbox.topic_arn) as program:
        program.hears("job.finished", 2)
        program.signal(signal.SIGTERM)
        program.hears("watcher.draining")
        program.signal(signal.SIGTERM)
        assert program.exit_code() == 0
    assert mailbox.is_empty


def test_message_bodies_that_are_not_to_be_logged_are_not_sent(queues: Queues, mailbox: Mailbox) -> None:
    queues.send("secret")
    settings = {"notification_topic_arn": mailbox.topic_arn, "log_message_bodies": "false"}
    with Program(queues, "exit 3", **settings):
        (mail,) = mailbox.mails(1)
    assert "secret" not in json.dumps(mail)


def test_a_drain_tells_how_many_were_left_out(queues: Queues, mailbox: Mailbox) -> None:
    for _ in range(5):
        queues.send(*["x"] * 10)
    with Program(queues, "exit 3", workers="8", notification_topic_arn=mailbox.topic_arn) as program:
        program.hears("job.finished", 50)
        program.signal(signal.SIGTERM)
        program.hears("watcher.draining")
        program.signal(signal.SIGTERM)
        assert program.exit_code() == 0
    told, counted = 0, 0
    while told + counted < 50:
        mails = mailbox.mails(1)
        text = "".join(mail["Message"] for mail in mails)
        told += text.count("the job of message")
        counted += sum(map(int, re.findall(r"(\d+) more not sent", text)))
    assert told + counted == 50
    assert 1 <= told <= 10


def test_a_topic_that_is_not_there_changes_no_outcome_and_is_logged_once(queues: Queues) -> None:
    queues.send("a", "b", "c")
    topic = "arn:aws:sns:us-east-1:000000000000:nowhere"
    with Program(queues, "exit 3", notification_topic_arn=topic) as program:
        program.hears("job.finished", 3)
        heard = program.hears("notification.failed")
        program.signal(signal.SIGTERM)
        program.hears("watcher.draining")
        program.signal(signal.SIGTERM)
        assert program.exit_code() == 0
        reasons = [one.fields["reason"] for one in program.events("notification.failed")]
    assert heard.fields["reason"].startswith(f"{topic}: ")
    assert reasons[1:] == ["the watcher stops, and no notification tells of 3 failed jobs"]
    assert queues.waiting() == (0, 0)
