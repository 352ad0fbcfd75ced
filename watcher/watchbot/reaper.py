"""Learning of every child's end, also as PID 1: what is Linux only about processes sits here."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36

OnExit = Callable[[int], None]
"""Takes the exit code of a child; minus the number of the signal that killed it."""


class Reaper:
    """Calls back when a watched child has ended, after killing what is left of its process group.

    With ``adopts`` the process also becomes the parent of orphans (prctl(2), PR_SET_CHILD_SUBREAPER) and reaps those
    as well: daemons of a job, and every zombie when we are PID 1. It never waits for a child without looking first
    whose it is, so that no exit code is lost.
    """

    def __init__(self, *, adopts: bool) -> None:
        self._adopts = adopts and sys.platform == "linux"
        self._watched: dict[int, OnExit] = {}

    def listen(self) -> None:
        """Take SIGCHLD on the running loop, and orphans if they are ours to take."""
        if self._adopts:
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self.reap)

    def watch(self, pid: int, on_exit: OnExit) -> None:
        """Have ``on_exit`` called once this child has ended."""
        self._watched[pid] = on_exit

    def reap(self) -> None:
        """Collect every child that has ended."""
        for pid, status in self._everyone() if self._adopts else self._watched_ones():
            on_exit = self._watched.pop(pid, None)
            if on_exit is not None:
                on_exit(os.waitstatus_to_exitcode(status))

    def orphans(self) -> list[int]:
        """List the children that nobody watches: what jobs have left behind."""
        if not self._adopts:
            return []
        try:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        except OSError:
            return []
        return [pid for pid in map(int, children.split()) if pid not in self._watched]

    def _everyone(self) -> Iterator[tuple[int, int]]:
        while True:
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
