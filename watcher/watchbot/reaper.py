"""Learning of every child's end, also as PID 1: what is Linux only about processes sits here."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator

from watchbot.bug import contained, report_bug
from watchbot.leftovers import GivenUp, Leftovers

_PR_SET_CHILD_SUBREAPER = 36
_MOST_AT_ONCE = 256
_RETRY_SECONDS = 1.0

OnExit = Callable[[int], None]
"""Takes the exit code of a child; minus the number of the signal that killed it."""


class Reaper:
    """Calls back when a watched child has ended, after killing what is left of its process group.

    With ``adopts`` the process also becomes the parent of orphans (prctl(2), PR_SET_CHILD_SUBREAPER) and reaps those
    as well: daemons of a job, and every zombie when we are PID 1. It never waits for a child without looking first
    whose it is, so that no exit code is lost. What a job has left behind is killed (:class:`Leftovers`); where that is
    impossible, ``given_up`` is called.

    Whatever fails on the way, in here or in a callback, the other children are looked at all the same.
    """

    def __init__(self, *, adopts: bool, given_up: GivenUp = lambda _: None) -> None:
        self._watched: dict[int, OnExit] = {}
        self._marks: dict[int, bytes] = {}
        self._leftovers = Leftovers(self._marks, given_up) if adopts and sys.platform == "linux" else None

    def listen(self) -> None:
        """Take SIGCHLD on the running loop, and orphans if they are ours to take."""
        if self._leftovers is not None:
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            self._leftovers.listen()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self.reap)

    def watch(self, pid: int, on_exit: OnExit, mark: bytes) -> None:
        """Call ``on_exit`` once this child has ended; ``mark`` is a variable that only its job has."""
        self._watched[pid] = on_exit
        self._marks[pid] = mark

    def reap(self) -> None:
        """Collect the children that have ended, and kill what ended jobs have left behind."""
        try:
            for pid, status in self._everyone() if self._leftovers is not None else self._watched_ones():
                self._ended(pid, status)
            if self._leftovers is not None:
                self._leftovers.kill()
        except Exception as error:  # noqa: BLE001 - a child that was not looked at ends no job
            report_bug(error)
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self.reap)

    async def finish(self) -> None:
        """Wait until what ended jobs have left behind is killed, or given up."""
        if self._leftovers is not None:
            await self._leftovers.finish()

    def _ended(self, pid: int, status: int) -> None:
        on_exit = self._watched.pop(pid, None)
        if on_exit is None:
            return
        mark = self._marks.pop(pid)
        if self._leftovers is not None:
            with contained():
                self._leftovers.add(mark)
        exit_code = os.waitstatus_to_exitcode(status)
        try:
            on_exit(exit_code)
        except Exception as error:  # noqa: BLE001 - nothing else will ever tell of this end, so it is told again
            report_bug(error)
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, on_exit, exit_code)

    def _everyone(self) -> Iterator[tuple[int, int]]:
        for _ in range(_MOST_AT_ONCE):
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            if ended.si_pid in self._watched:
                # Before the child is reaped its number cannot belong to anyone else.
                kill_group(ended.si_pid, signal.SIGKILL)
            yield os.waitpid(ended.si_pid, 0)
        # A fork bomb ends children faster than they can be reaped: the loop has other work, too.
        asyncio.get_running_loop().call_soon(self.reap)

    def _watched_ones(self) -> Iterator[tuple[int, int]]:
        for pid in list(self._watched):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                kill_group(pid, signal.SIGKILL)
                yield ended, status


def kill_group(pid: int, number: int) -> None:
    """Signal every process of the group that this child leads; fine when none is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
