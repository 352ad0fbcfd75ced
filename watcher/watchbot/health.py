"""The sign of life that a container's health check looks at: a file touched by the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os

_EVERY_SECONDS = 30.0


class Health:
    """Touches ``file`` while the event loop turns; it says nothing of the queue, which may be out of reach for all.

    A health check that fails has ECS replace the task, running jobs and all: a watcher that waits, or drains without
    a limit, must go on touching.
    """

    def __init__(self, file: str) -> None:
        self._file = file

    async def run(self) -> None:
        """Touch the file at once and every 30 seconds; what cannot be written only looks unhealthy."""
        while True:
            with contextlib.suppress(OSError):
                self._touch()
            await asyncio.sleep(_EVERY_SECONDS)

    def _touch(self) -> None:
        try:
            os.utime(self._file)  # needs no space on a disk that a job has filled
        except FileNotFoundError:
            os.close(os.open(self._file, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o644))
