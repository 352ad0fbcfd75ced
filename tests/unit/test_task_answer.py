"""What is read of ECS's answers, through the client that is pinned, from a server that throttles as ECS does."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterator

import pytest
from bench.scale.cloud import Cloud
from bench.scale.cluster import Life

from watchbot.aws_session import AwsAccess
from watchbot.ecs import BotoEcs, EcsError
from watchbot.task_answer import cut_down

RUN = {"taskDefinition": "family", "startedBy": "wb-m", "clientToken": "t", "overrides": {}}


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[BotoEcs]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with Cloud(Life(start_seconds=(0.0, 0.0), hidden_seconds=0.0)) as cloud:
        yield BotoEcs("scale", AwsAccess({}, "https://queue", cloud.url))


def test_a_task_is_cut_down_to_what_is_read_of_it(ecs: BotoEcs) -> None:
    async def scenario() -> None:
        (started,) = (await ecs.run_task(RUN))["tasks"]
        assert "attachments" in started
        answer = await ecs.describe_tasks([started["taskArn"], "gone"])
        (task,) = answer["tasks"]
        assert (task["startedBy"], task["lastStatus"]) == ("wb-m", "RUNNING")
        assert isinstance(task["startedAt"], datetime.datetime)
        assert task["containers"] == [{"name": "worker"}]
        assert "attachments" not in task
        assert answer["failures"] == [{"arn": "gone", "reason": "MISSING"}]

    asyncio.run(scenario())


def test_one_call_too_many_is_throttled_not_refused(ecs: BotoEcs) -> None:
    async def scenario() -> None:
        answers = await asyncio.gather(*[ecs.list_tasks(family="f") for _ in range(200)], return_exceptions=True)
        errors = [answer for answer in answers if isinstance(answer, EcsError)]
        assert len(answers) - len(errors) >= 100
        assert {(error.code, error.throttled, error.answered) for error in errors} == {
            ("ThrottlingException", True, False)
        }

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (200, b"[]"), (200, b'{"tasks": 7}'), (400, b'{"tasks": []}')]
)
def test_an_answer_that_is_none_is_left_to_the_client(status: int, body: bytes) -> None:
    response = {"status_code": status, "body": body}
    cut_down(response)
    assert response["body"] == body
