"""SQS moves a whole queue by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from watchbot_cli.crew import Crew
from watchbot_cli.dead_letter.account import Account
from watchbot_cli.dead_letter.letter_queue import LetterQueue
from watchbot_cli.errors import CommandError
from watchbot_cli.output import progress
from watchbot_cli.patience import within
from watchbot_cli.refusal import refusal_of

_LOOKS_EVERY_SECONDS = 1.0
_CANCEL_SECONDS = 3.0
_NOT_THERE = {"InvalidAction", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"}
_UNDER_WAY = ("RUNNING", "CANCELLING")


class NoMoveTasksError(Exception):
    """The endpoint does not know such tasks."""


class MoveTask:
    """Moves every dead letter to the work queue, up to 500 a second.

    The destination is always named: SQS knows none for a letter that the watcher has sent here.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
    """

    def __init__(self, queue: LetterQueue, console: Console, pause: Callable[[float], None] = time.sleep) -> None:
        self._queue = queue
        self._sqs = queue.sqs
        self._console = console
        self._pause = pause
        self._before: dict[str, Any] = {}
        self._handle: str | None = None
        self._moved = 0
        self._starter = Crew(1, "move-task")

    def run(self) -> Account:
        """Start, follow to the end, and give what became of the letters; Ctrl-C cancels.

        Raises :class:`NoMoveTasksError`, and :class:`CommandError` when another task is under way.
        """
        account = Account(approximate=True)
        try:
            self._refuse_a_second()
            # A call that is under way is waited for: what it started must be cancelled.
            self._starter.run(self._start)
            self._follow()
        except KeyboardInterrupt:
            account.ended = self._cancel()
        except (BotoCoreError, ClientError, CommandError) as error:
            if self._handle is None:
                if isinstance(error, ClientError) and error.response["Error"]["Code"] in _NOT_THERE:
                    raise NoMoveTasksError from error
                raise
            account.ended = error
        account.done = self._moved
        return account

    def _refuse_a_second(self) -> None:
        self._before = self._newest()
        if self._before.get("Status") in _UNDER_WAY:
            moved = self._before.get("ApproximateNumberOfMessagesMoved", 0)
            raise CommandError(
                f"SQS is already moving the messages of this queue, {moved} so far: wait for its end, or cancel it"
            )

    def _start(self) -> bool:
        answer = self._sqs.start_message_move_task(SourceArn=self._queue.arn, DestinationArn=self._queue.work_arn)
        self._handle = answer["TaskHandle"]
        return False

    def _newest(self) -> dict[str, Any]:
        results = self._sqs.list_message_move_tasks(SourceArn=self._queue.arn, MaxResults=1).get("Results", [])
        return dict(results[0]) if results else {}

    def _follow(self) -> None:
        with progress(self._console) as bars:
            bar = bars.add_task("moving", total=None)
            while True:
                task = self._newest()
                if self._is_ours(task):
                    self._moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
                    bars.update(bar, completed=self._moved, total=task.get("ApproximateNumberOfMessagesToMove"))
                    if task.get("Status") not in _UNDER_WAY:
                        break
                self._pause(_LOOKS_EVERY_SECONDS)
        if task.get("Status") != "COMPLETED":
            why = task.get("FailureReason") or str(task.get("Status")).lower()
            raise CommandError(f"SQS has moved {self._moved} dead letters, and then not the others: {why}")

    def _is_ours(self, task: dict[str, Any]) -> bool:
        """Whether it is the task just started, and not the one before it: SQS may list that for a moment longer.

        Only a task that runs has its handle; all of them have the time when they were started.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasksResultEntry.html
        """
        if not task or task.get("TaskHandle") == self._handle:
            return bool(task)
        return not self._before or task.get("StartedTimestamp") != self._before.get("StartedTimestamp")

    def _cancel(self) -> CommandError:
        if not self._starter.is_idle:
            return CommandError("interrupted, but SQS may have begun, and has not answered")
        if self._handle is None:
            return CommandError("interrupted: nothing was moved")
        handle = self._handle
        try:
            answer = within(_CANCEL_SECONDS, lambda: self._sqs.cancel_message_move_task(TaskHandle=handle))
        except TimeoutError:
            return CommandError("interrupted, but SQS may go on: it has not answered")
        except (BotoCoreError, ClientError) as error:
            return CommandError(f"interrupted, but SQS may go on: {refusal_of(error)}")
        self._moved = int(answer["ApproximateNumberOfMessagesMoved"])
        return CommandError("interrupted: SQS was told to stop, and the others stay where they were")
