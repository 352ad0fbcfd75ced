"""A real memory cgroup, of either version, as a container of that size has."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


class NoCgroupError(Exception):
    """This machine lets no cgroup be made."""


class MemoryCgroup:
    """Holds the processes that join it to a number of bytes, without swap."""

    def __init__(self, limit_bytes: int) -> None:
        is_second = (_ROOT / "cgroup.controllers").exists()
        self._folder = (_ROOT if is_second else _ROOT / "memory") / f"watchbot-{uuid.uuid4().hex[:8]}"
        limit, self._peak = ("memory.max", "memory.peak") if is_second else _FIRST
        try:
            self._folder.mkdir()
            (self._folder / limit).write_text(str(limit_bytes))
            (self._folder / "cgroup.procs").read_text()
        except OSError as error:
            self.remove()
            raise NoCgroupError(str(error)) from error

    def joining(self, command: list[str]) -> list[str]:
        """Return a command that joins the cgroup and becomes the given one."""
        return ["sh", "-c", f'echo $$ > {self._folder}/cgroup.procs && exec "$@"', "sh", *command]

    @property
    def peak_bytes(self) -> int:
        """The most that was used at once, what the kernel holds for sockets and files included."""
        return int((self._folder / self._peak).read_text())

    def remove(self) -> None:
        """Remove it; its processes have ended."""
        with contextlib.suppress(OSError):
            os.rmdir(self._folder)  # noqa: PTH106 - a cgroup's files go with it


_FIRST = ("memory.limit_in_bytes", "memory.max_usage_in_bytes")


@contextlib.contextmanager
def memory_cgroup(limit_bytes: int) -> Iterator[MemoryCgroup]:
    """Make a cgroup for the block; raises :class:`NoCgroupError`."""
    cgroup = MemoryCgroup(limit_bytes)
    try:
        yield cgroup
    finally:
        cgroup.remove()
