"""SQS moves a queue by itself, as its API describes it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from rich.console import Console

from watchbot_cli.dead_letter.move_task import MoveTask, NoMoveTasksError
from watchbot_cli.errors import CommandError


class _Queue:
    """The queues that a task moves between."""

    arn = "arn:aws:sqs:eu-west-1:111122223333:dead"
    work_arn = "arn:aws:sqs:eu-west-1:111122223333:work"

    def __init__(self) -> None:
        self.sqs: Any = boto3.client("sqs", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.stub = Stubber(self.sqs)
        self.stub.activate()

    def lists(self, *results: dict[str, Any]) -> None:
        expected = {"SourceArn": self.arn, "MaxResults": 1}
        self.stub.add_response("list_message_move_tasks", {"Results": [*results]}, expected)

    def starts(self) -> None:
        expected = {"SourceArn": self.arn, "DestinationArn": self.work_arn}
        self.stub.add_response("start_message_move_task", {"TaskHandle": "handle"}, expected)


def _task(status: str, moved: int, **more: Any) -> dict[str, Any]:
    return {"Status": status, "ApproximateNumberOfMessagesMoved": moved, **more}


def _move(queue: Any, pause: Any = lambda _: None) -> int:
    return MoveTask(queue, Console(quiet=True), pause).run()


def test_a_task_names_its_destination_and_is_followed_to_its_end() -> None:
    queue = _Queue()
    pauses: list[float] = []
    queue.lists(_task("COMPLETED", 3))
    queue.starts()
    queue.lists(_task("RUNNING", 10, ApproximateNumberOfMessagesToMove=20))
    queue.lists(_task("COMPLETED", 20))
    assert _move(queue, pauses.append) == 20
    assert len(pauses) == 1
    queue.stub.assert_no_pending_responses()


def test_ctrl_c_cancels_the_task() -> None:
    queue = _Queue()
    queue.lists()
    queue.starts()
    queue.lists(_task("RUNNING", 10))
    answer = {"ApproximateNumberOfMessagesMoved": 11}
    queue.stub.add_response("cancel_message_move_task", answer, {"TaskHandle": "handle"})

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(CommandError, match="interrupted: about 11 returned"):
        _move(queue, interrupted)


def test_a_task_that_fails_says_why() -> None:
    queue = _Queue()
    queue.lists()
    queue.starts()
    queue.lists(_task("FAILED", 4, FailureReason="KMS.AccessDenied"))
    with pytest.raises(CommandError, match=r"moved 4 dead letters, and then not the others: KMS\.AccessDenied"):
        _move(queue)


def test_refuses_to_start_beside_another_task() -> None:
    queue = _Queue()
    queue.lists(_task("RUNNING", 7))
    with pytest.raises(CommandError, match="already moving the messages of this queue, 7 so far"):
        _move(queue)


@pytest.mark.parametrize(
    "code", ["InvalidAction", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"]
)
def test_an_endpoint_without_such_tasks_is_known_by_its_answer(code: str) -> None:
    queue = _Queue()
    queue.stub.add_client_error("list_message_move_tasks", code)
    with pytest.raises(NoMoveTasksError):
        _move(queue)
