"""A directory for one job, gone when the job is, and the files through which watcher and worker talk."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable

_RUN = secrets.token_hex(4)
_NUMBERS = itertools.count(1)


class Scratch:
    """An empty directory for the worker, and beside it, where it does not see them, the message and its result.

    A job touches the disk as little as it can: a directory and a file are made, and both removed.
    """

    def __init__(self, parent: str | None) -> None:
        name = f"job-{_RUN}-{next(_NUMBERS)}"
        self.directory = os.path.join(tempfile.gettempdir() if parent is None else parent, name)  # noqa: PTH118 - hot
        self.message_file = f"{self.directory}.message"
        self.result_file = f"{self.directory}.result"
        os.mkdir(self.directory, 0o700)  # noqa: PTH102 - hot

    def write_message(self, text: bytes) -> None:
        """Keep exactly what ``Message`` means, whatever its size and characters."""
        descriptor = os.open(self.message_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            while text:
                text = text[os.write(descriptor, text) :]
        finally:
            os.close(descriptor)

    def remove(self, later: Callable[[Callable[[], None]], object]) -> None:
        """Remove everything, what may take a while ``later``; what cannot be removed changes no outcome."""
        for file in (self.message_file, self.result_file):
            with contextlib.suppress(OSError):
                os.unlink(file)  # noqa: PTH108 - hot
        try:
            os.rmdir(self.directory)  # noqa: PTH106 - hot
        except OSError:
            later(lambda: shutil.rmtree(self.directory, ignore_errors=True))
