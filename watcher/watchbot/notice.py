"""What the engine tells its observers: logs, and what counts, notifies or protects."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from watchbot.job import NoJob
from watchbot.message import Message
from watchbot.result import Result
from watchbot.settlement import Settlement


@dataclasses.dataclass(frozen=True, slots=True)
class Received:
    """A message was received; ``again`` when its job runs here already, or has been finished here."""

    message: Message
    again: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class JobStarted:
    """The worker of a job has begun, this long after its start was first tried; the text is its message, if known."""

    message: Message
    pending_seconds: float
    subject: str | None = None
    text: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class JobFinished:
    """A job has a result and its message is settled."""

    message: Message
    result: Result
    settlement: Settlement


@dataclasses.dataclass(frozen=True, slots=True)
class MessageIgnored:
    """A message was no job, and is settled."""

    message: Message
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class StartFailed:
    """A worker did not start; the lease is kept and the start tried again after ``retry_seconds``."""

    message: Message
    reason: str
    retry_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class StartOverdue:
    """The start of a worker has had no answer for this long, neither that it began nor that it failed; it goes on."""

    message: Message
    waited_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Unstopped:
    """A worker still runs this long after it was to stop; ``task`` is the ARN of its ECS task, where it is one."""

    message_id: str
    reason: str
    waited_seconds: float
    task: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Stopped:
    """A worker that was reported as :class:`Unstopped` has ended, or is no longer followed here."""

    message_id: str
    task: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Paused:
    """Nothing more is received, because no worker starts; this was the last reason."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Resumed:
    """A worker has started after a pause: receiving goes on."""


@dataclasses.dataclass(frozen=True, slots=True)
class HandedBack:
    """A message went back to the queue before anyone worked on it."""

    message: Message
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class LeaseLost:
    """A lease ended while its job was running or waiting."""

    message: Message


@dataclasses.dataclass(frozen=True, slots=True)
class QueueTrouble:
    """A call to SQS failed and will be tried again."""

    problem: str
    message_id: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class EcsTrouble:
    """A call to ECS failed and will be tried again; the jobs it was about go on."""

    problem: str


@dataclasses.dataclass(frozen=True, slots=True)
class Bug:
    """Something in the watcher itself failed; where it was for one message, that goes back. The watcher goes on."""

    error: BaseException
    message_id: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Busy:
    """The first job begins after an idle time."""


@dataclasses.dataclass(frozen=True, slots=True)
class Idle:
    """The last job has ended."""


@dataclasses.dataclass(frozen=True, slots=True)
class Draining:
    """Nothing more is received."""

    reason: str


Notice = (
    Received
    | JobStarted
    | JobFinished
    | MessageIgnored
    | StartFailed
    | StartOverdue
    | Unstopped
    | Stopped
    | Paused
    | Resumed
    | HandedBack
    | LeaseLost
    | QueueTrouble
    | EcsTrouble
    | Bug
    | Busy
    | Idle
    | Draining
)


def ended(message: Message, result: Result | NoJob, settlement: Settlement) -> JobFinished | MessageIgnored:
    """Say that a message is settled, and that its job was finished if it was one."""
    if isinstance(result, NoJob):
        return MessageIgnored(message, result.reason)
    return JobFinished(message, result, settlement)


Observer = Callable[[Notice], None]
"""Told of everything, answers nothing; must not block."""


class Observers:
    """All observers as one: what one of them raises reaches neither the others nor the engine."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def __call__(self, notice: Notice) -> None:
        """Notify everyone; a failure of one is a :class:`Bug`, of which all are notified."""
        for observer in self._observers:
            try:
                observer(notice)
            except Exception as error:  # noqa: BLE001 - an observer never changes an outcome
                if not isinstance(notice, Bug):
                    self(Bug(error))
