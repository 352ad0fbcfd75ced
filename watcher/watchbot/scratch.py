"""A directory for each job, and the files through which watcher and worker talk."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import os
import stat
import sys
import tempfile
from collections.abc import Callable

from watchbot.removal import remove_tree
from watchbot.worker_environment import VARIABLE_LIMIT


@dataclasses.dataclass(frozen=True, slots=True)
class Scratch:
    """An empty directory for a worker, and beside it, where it does not see them, its message and its result."""

    directory: str
    inode: int
    message_file: str
    result_file: str

    @property
    def attributes_file(self) -> str:
        """Where attributes are that no variable can hold."""
        return f"{self.message_file}.attributes"

    def write_message(self, text: bytes) -> None:
        """Keep exactly what ``Message`` means, whatever its size and characters."""
        _write(self.message_file, text)

    def write_attributes(self, text: bytes) -> None:
        """Keep what ``MessageAttributes`` means."""
        _write(self.attributes_file, text)

    def read_short_message(self) -> str | None:
        """Read the message back; None when it is not text, or longer than a variable can be."""
        with open(self.message_file, "rb") as file:  # noqa: PTH123 - for every job
            text = file.read(VARIABLE_LIMIT)
        try:
            return text.decode() if len(text) < VARIABLE_LIMIT else None
        except UnicodeDecodeError:
            return None


class ScratchSpace:
    """Lends a directory to each job.

    One that comes back as it was lent, empty, is lent again: making and removing a directory is the dearest thing that
    a short job would do. Whatever else a job has left is removed, and the next job gets another directory.
    """

    def __init__(self, parent: str | None) -> None:
        self._parent = parent
        self._root: str | None = None
        self._numbers = itertools.count(1)
        self._most_free = 0
        self.room()
        self._unused: list[tuple[str, int]] = []

    def room(self) -> int:
        """Return the most bytes that the disk has had free, now or earlier: a larger file will never fit.

        What is free only now may be little because other jobs have filled the disk, or a broken one for good.
        """
        with contextlib.suppress(OSError):
            disk = os.statvfs(tempfile.gettempdir() if self._parent is None else self._parent)
            self._most_free = max(self._most_free, disk.f_bavail * disk.f_frsize)
        return self._most_free or sys.maxsize

    def lend(self) -> Scratch:
        """Give a job its directory; raises OSError when the disk is full."""
        try:
            return self._lend()
        except (PermissionError, NotADirectoryError, FileNotFoundError):
            # A job has closed, replaced or removed more than its own.
            self._root = None
            return self._lend()

    def _lend(self) -> Scratch:
        if self._root is None or not os.path.isdir(self._root):  # noqa: PTH112 - for every job
            self._root, self._unused = tempfile.mkdtemp(prefix="watchbot-", dir=self._parent), []
        name = os.path.join(self._root, str(next(self._numbers)))  # noqa: PTH118 - for every job
        while self._unused:
            directory, inode = self._unused.pop()
            if _is_untouched(directory, inode):
                return Scratch(directory, inode, f"{name}.message", f"{name}.result")
        directory, inode = _make(f"{name}.tmp")
        return Scratch(directory, inode, f"{name}.message", f"{name}.result")

    def take_back(self, scratch: Scratch, later: Callable[[Callable[[], None]], object]) -> None:
        """Remove what a job has left, what may take a while ``later``; what cannot be removed changes no outcome."""
        for file in (scratch.message_file, scratch.result_file, scratch.attributes_file):
            try:
                os.unlink(file)  # noqa: PTH108 - for every job
            except FileNotFoundError:
                pass
            except OSError:
                # A worker has put a directory there, if anything.
                later(functools.partial(remove_tree, file))
        if _is_untouched(scratch.directory, scratch.inode):
            self._unused.append((scratch.directory, scratch.inode))
        else:
            later(functools.partial(remove_tree, scratch.directory))

    def close(self) -> None:
        """Remove everything."""
        if self._root is not None:
            remove_tree(self._root)


def _write(file: str, text: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        while text:
            text = text[os.write(descriptor, text) :]
    finally:
        os.close(descriptor)


def _make(directory: str) -> tuple[str, int]:
    os.mkdir(directory, 0o700)  # noqa: PTH102 - for every job
    return directory, os.lstat(directory).st_ino


def _is_untouched(directory: str, inode: int) -> bool:
    with contextlib.suppress(OSError):
        found = os.lstat(directory)
        is_same = found.st_ino == inode and stat.S_IMODE(found.st_mode) == 0o700
        return is_same and not os.listdir(directory)  # noqa: PTH208 - for every job
    return False
