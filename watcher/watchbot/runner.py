"""The seam between the engine and whatever does the work: processes, ECS tasks, warm handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from watchbot.job import Job
from watchbot.message import Message
from watchbot.result import Result


class Runner(Protocol):
    """Runs jobs. It never touches SQS: leases, retries and settlement are the engine's.

    ``outlives_watcher`` says that its workers go on when the watcher ends: they are never stopped on a drain or
    for a lost lease, but found again by :meth:`recover`.
    """

    outlives_watcher: bool

    @property
    def capacity(self) -> int:
        """Slots offered now, the taken ones included; 0 while nothing could be started."""

    async def run(self, job: Job, started: Callable[[], None], held: Callable[[], bool]) -> Result:
        """Run the job to its end, and call ``started`` once its worker has begun.

        ``held`` says whether the lease still holds the message. It is asked just before a worker is started: after a
        pause of the whole process another watcher may have one already, and :meth:`abandon` comes late.
        After :meth:`abandon` or a drain the result says interrupted.
        """

    def abandon(self, message_id: str) -> None:
        """Stop the job, or forget it where it lives on by itself: nobody will settle its message here."""

    async def drain(self, deadline: float) -> None:
        """Start nothing more and return once every job has its result; called again to move the deadline.

        ``deadline`` is a time of the event loop.
        """

    async def recover(self, message: Message) -> Result | Literal["running"] | None:
        """Look for what an earlier receive of this message has left behind.

        A result is settled without running again; "running" means that :meth:`run` will follow the worker found.
        """
