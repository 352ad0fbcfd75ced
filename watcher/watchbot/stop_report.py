"""The report of a worker that was to stop and goes on."""

from __future__ import annotations

import asyncio

from watchbot.notice import Observer, Stopped, Unstopped

_FIRST_SECONDS = 300.0
"""More than ECS leaves a container between TERM and KILL by default or on Fargate, which is two minutes at most.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

_AGAIN_SECONDS = 3600.0


class StopReport:
    """Tells observers of one worker five minutes after it was to stop, and again every hour until it has ended.

    Nothing else happens: as long as a worker may still be at work, its message is kept, because a second one beside it
    would be worse than a late one.
    """

    def __init__(self, observe: Observer, message_id: str, task: str | None = None) -> None:
        self._observe = observe
        self._message_id = message_id
        self._task = task
        self._reason = ""
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_reported = False

    def begin(self, reason: str) -> None:
        """Count from now on, if not yet: the worker is to stop for this reason."""
        if self._since is not None:
            return
        loop = asyncio.get_running_loop()
        self._reason, self._since = reason, loop.time()
        self._timer = loop.call_later(_FIRST_SECONDS, self._tell)

    def end(self) -> None:
        """Stop counting: the worker has ended, or is no longer followed here."""
        if self._timer is not None:
            self._timer.cancel()
        if self._is_reported:
            self._is_reported = False
            self._observe(Stopped(self._message_id, self._task))

    def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._since is not None  # noqa: S101 - the timer runs since then
        self._is_reported = True
        self._observe(Unstopped(self._message_id, self._reason, loop.time() - self._since, self._task))
        self._timer = loop.call_later(_AGAIN_SECONDS, self._tell)
