"""SQS moves a queue by itself, as its API describes it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from rich.console import Console

from watchbot_cli.dead_letter.account import Account
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


def _move(queue: Any, pause: Any = lambda _: None) -> Account:
    return MoveTask(queue, Console(quiet=True), pause).run()


def test_a_task_names_its_destination_and_is_followed_to_its_end() -> None:
    queue = _Queue()
    pauses: list[float] = []
    queue.lists()
    queue.starts()
    queue.lists(_task("RUNNING", 10, ApproximateNumberOfMessagesToMove=20))
    queue.lists(_task("COMPLETED", 20))
    assert _move(queue, pauses.append) == Account(done=20, approximate=True)
    assert len(pauses) == 1
    queue.stub.assert_no_pending_responses()


def test_the_task_before_is_never_taken_for_the_one_just_started() -> None:
    queue = _Queue()
    pauses: list[float] = []
    before = _task("COMPLETED", 3, StartedTimestamp=1)
    queue.lists(before)
    queue.starts()
    queue.lists(before)
    queue.lists()
    queue.lists(_task("RUNNING", 10, TaskHandle="handle", StartedTimestamp=2))
    queue.lists(_task("COMPLETED", 20, StartedTimestamp=2))
    assert _move(queue, pauses.append).done == 20
    assert len(pauses) == 3


def test_ctrl_c_cancels_the_task() -> None:
    queue = _Queue()
    queue.lists()
    queue.starts()
    queue.lists(_task("RUNNING", 10))
    answer = {"ApproximateNumberOfMessagesMoved": 11}
    queue.stub.add_response("cancel_message_move_task", answer, {"TaskHandle": "handle"})

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    account = _move(queue, interrupted)
    assert (account.done, str(account.ended)) == (
        11,
        "interrupted: SQS was told to stop, and the others stay where they were",
    )
    queue.stub.assert_no_pending_responses()


def test_a_task_that_cannot_be_cancelled_is_told_of() -> None:
    queue = _Queue()
    queue.lists()
    queue.starts()
    queue.lists(_task("RUNNING", 10))
    queue.stub.add_client_error("cancel_message_move_task", "AccessDenied")

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    account = _move(queue, interrupted)
    assert account.done == 10
    assert str(account.ended).startswith("interrupted, but SQS may go on: these AWS credentials may not call Cancel")


def test_ctrl_c_while_a_task_is_started_cancels_it(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = _Queue()
    queue.lists()
    queue.starts()
    queue.stub.add_response(
        "cancel_message_move_task", {"ApproximateNumberOfMessagesMoved": 5}, {"TaskHandle": "handle"}
    )

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("watchbot_cli.crew.wait", interrupted)
    account = _move(queue)
    assert (account.done, isinstance(account.ended, CommandError)) == (5, True)
    queue.stub.assert_no_pending_responses()


def test_a_task_that_fails_says_why() -> None:
    queue = _Queue()
    queue.lists()
    queue.starts()
    queue.lists(_task("FAILED", 4, FailureReason="KMS.AccessDenied"))
    account = _move(queue)
    assert account.done == 4
    assert str(account.ended) == "SQS has moved 4 dead letters, and then not the others: KMS.AccessDenied"


def test_what_was_moved_is_told_when_the_task_can_be_followed_no_further() -> None:
    queue = _Queue()
    queue.lists()
    queue.starts()
    queue.lists(_task("RUNNING", 7))
    queue.stub.add_client_error("list_message_move_tasks", "AccessDenied")
    account = _move(queue)
    assert (account.done, isinstance(account.ended, ClientError)) == (7, True)


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
