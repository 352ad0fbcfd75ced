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
_READ_BYTES = 65_536

OnExit = Callable[[int], None]
"""Takes the exit code of a child; minus the number of the signal that killed it."""


class Reaper:
    """Calls back when a watched child has ended, after killing what is left of its process group.

    With ``adopts`` the process also becomes the parent of orphans (prctl(2), PR_SET_CHILD_SUBREAPER) and reaps those
    as well: daemons of a job, and every zombie when we are PID 1. It never waits for a child without looking first
    whose it is, so that no exit code is lost. When a job has ended, orphans that carry its mark in their environment
    are killed, whatever session they are in; those that carry no mark are once no job runs that they could belong to.
    """

    def __init__(self, *, adopts: bool) -> None:
        self._adopts = adopts and sys.platform == "linux"
        self._watched: dict[int, tuple[OnExit, bytes]] = {}
        self._condemned: set[bytes] = set()
        self._children: int | None = None

    def listen(self) -> None:
        """Take SIGCHLD on the running loop, and orphans if they are ours to take."""
        if self._adopts:
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            with contextlib.suppress(OSError):
                self._children = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self.reap)

    def watch(self, pid: int, on_exit: OnExit, mark: bytes) -> None:
        """Have ``on_exit`` called once this child has ended; ``mark`` is a variable that only its job has."""
        self._watched[pid] = (on_exit, mark)

    def reap(self) -> None:
        """Collect every child that has ended, and kill what ended jobs have left behind."""
        for pid, status in self._everyone() if self._adopts else self._watched_ones():
            watched = self._watched.pop(pid, None)
            if watched is not None:
                on_exit, mark = watched
                self._condemned.add(mark)
                on_exit(os.waitstatus_to_exitcode(status))
        if self._adopts and self._condemned:
            self._kill_leftovers()

    def _kill_leftovers(self) -> None:
        """Kill orphans of ended jobs; their own children become orphans then, and their end brings us here again."""
        orphans = {pid: _environment(pid) for pid in self._orphans()}
        marks = {mark for mark in self._condemned if any(mark in environment for environment in orphans.values())}
        for pid, environment in orphans.items():
            if not self._watched or any(mark in environment for mark in marks):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        self._condemned = marks if self._watched or not orphans else self._condemned

    def _orphans(self) -> list[int]:
        children = b""
        if self._children is not None:
            while part := os.pread(self._children, _READ_BYTES, len(children)):
                children += part
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


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def kill_group(pid: int, number: int) -> None:
    """Signal every process of the group that this child leads; fine when none is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
