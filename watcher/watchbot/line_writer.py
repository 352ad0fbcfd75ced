"""Writes finished lines to a descriptor from a thread of its own, so that a blocked reader blocks only that."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

_HELD_BYTES = 8_388_608
_HELD_WORKER_BYTES = 4_194_304
_GATHER_SECONDS = 0.005
_RETRY_SECONDS = 1.0
_MISSING = "[watcher] {} log lines were dropped: they were not read in time"


class LineWriter:
    """Takes lines without ever waiting; while the other end does not read, it holds 8 MiB and drops the rest.

    Workers may fill half of that, so that what the watcher itself has to say, metrics above all, finds room behind any
    flood. How many lines were dropped is a line of its own, ``missing``, as soon as there is room again.
    """

    def __init__(self, descriptor: int, missing: Callable[[int], str] = _MISSING.format) -> None:
        self._descriptor = descriptor
        self._missing = missing
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        self._closed = False
        self._idle = True
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def __call__(self, line: str, /) -> None:
        """Take one line without its newline."""
        self._take(line, _HELD_BYTES)

    def worker_line(self, line: str, /) -> None:
        """Take one line of a worker."""
        self._take(line, _HELD_WORKER_BYTES)

    def _take(self, line: str, limit: int) -> None:
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._changed:
            if self._bytes + len(data) > limit:
                self._dropped += 1
                return
            self._lines.append(data)
            self._bytes += len(data)
            if self._idle:
                self._idle = False
                self._changed.notify()

    def close(self, timeout_seconds: float) -> None:
        """Write what is held, for at most this long."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        """Write until closed; no exception ends this thread, or nothing would be logged any more."""
        is_over = False
        while not is_over:
            try:
                self._wait()
                is_over = self._write_held()
            except Exception:  # noqa: BLE001 - out of memory, most likely: the lines are held, and tried again
                time.sleep(_RETRY_SECONDS)
                is_over = self._closed

    def _write_held(self) -> bool:
        """Write what is held now; True when that was the last."""
        with self._changed:
            data = b"".join(self._lines)
            if self._dropped:
                data += self._missing(self._dropped).encode() + b"\n"
            self._lines.clear()
            self._bytes = self._dropped = 0
            closed = self._closed
        return not self._write(data) or (closed and not self._lines)

    def _wait(self) -> None:
        """Wait for a line, and a moment longer for more: waking up for each would cost the event loop dearly."""
        with self._changed:
            if not (self._lines or self._closed):
                self._idle = True
                self._changed.wait_for(lambda: self._lines or self._closed)
            self._idle = False
        if not self._closed:
            time.sleep(_GATHER_SECONDS)

    def _write(self, data: bytes) -> bool:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                # Whoever started us has made the descriptor so, which says nothing about its end.
                select.select([], [self._descriptor], [])
            except OSError:
                return False
        return True
