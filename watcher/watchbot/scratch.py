"""A directory for one job, gone when the job is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

MESSAGE_FILE = "message"
RESULT_FILE = "result.json"


class Scratch:
    """A fresh directory that holds the message, takes the worker's result and is its ``TMPDIR``."""

    def __init__(self, parent: str | None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="job-", dir=parent))
        self.temporary = self.path / "tmp"
        self.temporary.mkdir()

    def write_message(self, text: bytes) -> None:
        """Keep exactly what ``Message`` means, whatever its size and characters."""
        (self.path / MESSAGE_FILE).write_bytes(text)

    def remove(self) -> None:
        """Remove everything; what cannot be removed is left, because cleaning never changes an outcome."""
        shutil.rmtree(self.path, ignore_errors=True)
