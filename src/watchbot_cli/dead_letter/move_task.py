"""SQS moves a whole queue by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console

from watchbot_cli.dead_letter.letter_queue import LetterQueue
from watchbot_cli.errors import CommandError
from watchbot_cli.output import progress

_LOOKS_EVERY_SECONDS = 1.0
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

    def run(self) -> int:
        """Start, follow to the end, and give how many were moved; Ctrl-C cancels.

        Raises :class:`NoMoveTasksError`, and :class:`CommandError` when not all were moved.
        """
        try:
            self._refuse_a_second()
            handle = self._sqs.start_message_move_task(SourceArn=self._queue.arn, DestinationArn=self._queue.work_arn)[
                "TaskHandle"
            ]
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_THERE:
                raise NoMoveTasksError from error
            raise
        try:
            return self._follow()
        except KeyboardInterrupt:
            moved = self._sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
            raise CommandError(f"interrupted: about {moved} returned, the others stay where they were") from None

    def _refuse_a_second(self) -> None:
        newest = self._newest()
        if newest.get("Status") in _UNDER_WAY:
            moved = newest.get("ApproximateNumberOfMessagesMoved", 0)
            raise CommandError(
                f"SQS is already moving the messages of this queue, {moved} so far: wait for its end, or cancel it"
            )

    def _newest(self) -> dict[str, Any]:
        results = self._sqs.list_message_move_tasks(SourceArn=self._queue.arn, MaxResults=1).get("Results", [])
        return dict(results[0]) if results else {}

    def _follow(self) -> int:
        with progress(self._console) as bars:
            bar = bars.add_task("moving", total=None)
            while True:
                task = self._newest()
                moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
                bars.update(bar, completed=moved, total=task.get("ApproximateNumberOfMessagesToMove"))
                if task.get("Status") not in _UNDER_WAY:
                    break
                self._pause(_LOOKS_EVERY_SECONDS)
        if task.get("Status") != "COMPLETED":
            why = task.get("FailureReason") or str(task.get("Status")).lower()
            raise CommandError(f"SQS has moved {moved} dead letters, and then not the others: {why}")
        return moved
