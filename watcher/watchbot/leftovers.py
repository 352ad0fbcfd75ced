"""Processes that ended jobs have left behind, in whatever session they are, and their end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping

from watchbot.bug import contained
from watchbot.descendants import Process, children_by_parent, has_variable, with_descendants

_READ_BYTES = 65_536
_FEW = 8
_SOON_SECONDS = 1.0

_MOST_STRAYS = 50
"""More processes without a mark than this are no daemons of the jobs that run: a bomb has emptied their environment."""

_PASSES_SECONDS = 0.25
_PAUSE_SECONDS = 0.02
_GIVE_UP_SECONDS = 30.0

GivenUp = Callable[[str], None]
"""Ends the watcher, so that ECS replaces its task: what is left here cannot be cleaned up."""


class Leftovers:
    """Kills what is left of jobs that have ended; as their subreaper the watcher is the parent of all of it.

    An orphan belongs to the job whose mark, a variable, it was started with; so does everything below it. One without
    a mark may be any job's. It is killed once no job runs, or when there are too many like it.

    A few are killed where they are found, and their children when those become orphans. Many, or those that come again,
    are swept: everything is stopped, until a look finds nothing more that could fork, and only then killed. A sweep
    that still finds some after half a minute gives up.
    """

    def __init__(self, running: Mapping[int, bytes], given_up: GivenUp) -> None:
        self._running = running
        self._given_up = given_up
        self._ended: set[bytes] = set()
        self._children: int | None = None
        self._since: float | None = None
        self._sweep: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Open the list of this process's children, which the kernel keeps."""
        with contextlib.suppress(OSError):
            self._children = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)

    def add(self, mark: bytes) -> None:
        """Add a job that has ended."""
        self._ended.add(mark)

    def kill(self) -> None:
        """Kill the orphans of ended jobs; their end brings us here again, for those that become orphans then."""
        if not self._ended or self._sweep is not None:
            return
        orphans = self._orphans()
        found = self._found(orphans) if orphans else []
        if not found:
            if not orphans or self._running:
                self._ended.clear()
            self._since = None
            return
        now = asyncio.get_running_loop().time()
        self._since = now if self._since is None else self._since
        if len(found) > _FEW or now - self._since > _SOON_SECONDS:
            self._sweep = asyncio.create_task(self._run_sweep())
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)  # our own child: nobody else can have its number

    async def finish(self) -> None:
        """Wait for a sweep that is under way; it ends after half a minute at most."""
        if self._sweep is not None:
            await asyncio.wait([self._sweep])

    def _orphans(self) -> list[int]:
        if self._children is None:
            return [one.pid for one in children_by_parent().get(os.getpid(), ()) if one.pid not in self._running]
        children = b""
        while part := os.pread(self._children, _READ_BYTES, len(children)):
            children += part
        return [pid for pid in map(int, children.split()) if pid not in self._running]

    def _found(self, orphans: list[int]) -> list[int]:
        """Choose the orphans that are to end."""
        found, strays = [], []
        running = set(self._running.values())
        for pid in orphans:
            mark = has_variable(pid, [*running, *self._ended])
            if mark is None:
                strays.append(pid)
            elif mark not in running:
                found.append(pid)
        return found + strays if not running or len(strays) > _MOST_STRAYS else found

    async def _run_sweep(self) -> None:
        now = asyncio.get_running_loop().time
        give_up_at = now() + _GIVE_UP_SECONDS
        stopped: set[Process] = set()
        foreign: set[Process] = set()
        try:
            while True:
                with contained():
                    left = self._condemned()
                    # What runs as another user by now stays, unless there is so much of it that it is a bomb.
                    if left <= foreign and len(left) <= _MOST_STRAYS:
                        break
                    foreign |= self._stop_or_kill(left - foreign, stopped)
                if now() >= give_up_at:
                    self._given_up("processes of ended jobs are left here and cannot be killed")
                    return
                # What has ended is to be reaped, and the loop has other work, too.
                await asyncio.sleep(_PAUSE_SECONDS)
            self._ended.clear()
        finally:
            self._since = self._sweep = None

    def _stop_or_kill(self, left: set[Process], stopped: set[Process]) -> set[Process]:
        """Stop those that still run; kill them all when no more do. Return those that may not be stopped.

        Those that are stopped keep their places in a container that is full, where none can be forked then.
        """
        foreign: set[Process] = set()
        until = time.monotonic() + _PASSES_SECONDS
        while left - stopped and time.monotonic() < until:
            foreign |= {process for process in left - stopped if not process.signal(signal.SIGSTOP)}
            stopped |= left
            left = self._condemned() - foreign
        if not left - stopped:
            for process in left:
                process.signal(signal.SIGKILL)
            stopped.clear()
        return foreign

    def _condemned(self) -> set[Process]:
        children = children_by_parent()
        orphans = {one.pid: one for one in children.get(os.getpid(), ()) if one.pid not in self._running}
        found = self._found(list(orphans))
        return set(with_descendants((orphans[pid] for pid in found), children))
