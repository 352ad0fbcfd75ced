"""The observer that writes the log."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Any

from watchbot.cause import cause_of
from watchbot.contract import Event, Outcome
from watchbot.journal import Journal
from watchbot.notice import (
    Bug,
    Draining,
    EcsTrouble,
    HandedBack,
    JobFinished,
    JobStarted,
    LeaseLost,
    MessageIgnored,
    Notice,
    Paused,
    QueueTrouble,
    Received,
    Resumed,
    StartFailed,
    StartOverdue,
    Unstopped,
)
from watchbot.result import Result
from watchbot.settlement import DeadLetter, Delete, LetGo, Return, Settlement

_REPEAT_SECONDS = 60.0

_LONGEST_BODY = 2048
"""Characters of a message that a line shows."""


class LogObserver:
    """Writes a line for what an operator would ask about.

    Trouble that repeats itself is written once a minute for each distinct cause, or an outage would be all there is
    to read. With ``debug`` every one of them is, and every message when it is received, and where a bug is. Without
    ``bodies`` no line shows what a message says.
    """

    def __init__(
        self, journal: Journal, now: Callable[[], float] = time.time, *, bodies: bool = True, debug: bool = False
    ) -> None:
        self._journal = journal
        self._now = now
        self._bodies = bodies
        self._debug = debug
        self._written: dict[str, float] = {}

    def __call__(self, notice: Notice) -> None:
        """Write the notice down, if it is one worth a line."""
        event = self._journal.event
        match notice:
            case JobStarted():
                self._started(notice)
            case JobFinished(message, Result(forged=True, reason=reason), settlement):
                settled = settlement_fields(settlement)
                event(Event.SIGNATURE_INVALID, message_id=message.message_id, level="warning", **settled, reason=reason)
            case JobFinished():
                self._finished(notice)
            case StartFailed(message, reason, retry_seconds):
                if self._due(f"start {reason}"):
                    retry = round(retry_seconds, 1)
                    event(
                        Event.JOB_START_FAILED,
                        message_id=message.message_id,
                        level="error",
                        reason=reason,
                        retry_seconds=retry,
                    )
            case StartOverdue(message, waited_seconds):
                waited = round(waited_seconds)
                event(Event.JOB_START_OVERDUE, message_id=message.message_id, level="warning", waited_seconds=waited)
            case Unstopped(message_id, reason, waited_seconds, task):
                waited = round(waited_seconds)
                event(
                    Event.JOB_NOT_STOPPING,
                    message_id=message_id,
                    level="warning",
                    reason=reason,
                    waited_seconds=waited,
                    task=task,
                )
            case Paused(reason):
                event(Event.WATCHER_PAUSED, level="error", reason=reason)
            case Resumed():
                event(Event.WATCHER_RESUMED)
            case MessageIgnored(message, reason):
                event(Event.MESSAGE_IGNORED, message_id=message.message_id, reason=reason)
            case HandedBack(message, reason):
                event(Event.JOB_HANDED_BACK, message_id=message.message_id, reason=reason)
            case LeaseLost(message):
                event(Event.LEASE_LOST, message_id=message.message_id, level="warning")
            case Received(message, again=True):
                event(Event.MESSAGE_RECEIVED_AGAIN, message_id=message.message_id, level="warning")
            case Received(message) if self._debug:
                received = message.receive_count
                event(Event.MESSAGE_RECEIVED, message_id=message.message_id, level="debug", receive_count=received)
            case QueueTrouble(problem, message_id):
                if self._due(problem):
                    event(Event.QUEUE_ERROR, message_id=message_id, level="error", reason=problem)
            case EcsTrouble(problem):
                if self._due(problem):
                    event(Event.ECS_ERROR, level="error", reason=problem)
            case Bug(error, message_id) if self._due(f"bug {error!r}"):
                trace = "".join(traceback.format_exception(error)) if self._debug else None
                event(Event.WATCHER_BUG, message_id=message_id, level="error", reason=repr(error), traceback=trace)
            case Draining(reason):
                event(Event.WATCHER_DRAINING, reason=reason)
            case _:
                pass

    def _started(self, notice: JobStarted) -> None:
        text = notice.text if self._bodies else None
        self._journal.event(
            Event.JOB_STARTED,
            message_id=notice.message.message_id,
            subject=notice.subject if self._bodies else None,
            message=None if text is None else text[:_LONGEST_BODY],
            receive_count=notice.message.receive_count,
        )

    def _finished(self, notice: JobFinished) -> None:
        message, result = notice.message, notice.result
        sent_at = message.sent_at
        self._journal.event(
            Event.JOB_FINISHED,
            message_id=message.message_id,
            level="warning" if result.failed or result.outcome is Outcome.DID_NOT_START else "info",
            outcome=result.outcome.value,
            **settlement_fields(notice.settlement),
            exit_code=result.exit_code,
            signal=result.signal,
            reason=result.reason,
            duration_seconds=round(result.duration_seconds, 3),
            response_seconds=None if sent_at is None else round(max(0.0, self._now() - sent_at), 3),
            receive_count=message.receive_count,
        )

    def _due(self, text: str) -> bool:
        now = self._now()
        text = cause_of(text)
        last = self._written.get(text)
        if not self._debug and last is not None and 0 <= now - last < _REPEAT_SECONDS:
            return False
        if len(self._written) > 100:
            self._written.clear()
        self._written[text] = now
        return True


def settlement_fields(settlement: Settlement) -> dict[str, Any]:
    """Say in words what became of a message."""
    match settlement:
        case Delete():
            return {"settlement": "deleted"}
        case Return(delay_seconds):
            return {"settlement": "returned", "delay_seconds": delay_seconds}
        case DeadLetter():
            return {"settlement": "dead_lettered"}
        case LetGo():
            return {"settlement": "let_go"}
