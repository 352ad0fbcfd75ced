"""What a worker writes, taken in line by line without ever holding up the event loop."""

from __future__ import annotations

import asyncio
import os

from watchbot.worker_log import Lines

_READ_BYTES = 65_536
_LINE_BYTES = 16_384
"""A longer line is passed on in pieces of this size: what log drivers make of it anyway."""

_LINE_OVERHEAD_BYTES = 96
"""Date, source and message id."""


class Output:
    """The reading end of a worker's standard output and error, which share one pipe and so keep their order."""

    def __init__(self, descriptor: int, lines: Lines) -> None:
        self._descriptor = descriptor
        self._lines = lines
        self._rest = b""
        self._dropped = 0
        self._cut = False
        self._open = True
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def finish(self) -> None:
        """Take in what is left in the pipe and close it; nothing written after the worker's end is waited for."""
        for _ in range(4):
            if not self._read():
                break
        self._close()
        if self._rest:
            self._lines.line(_text(self._rest))
            self._rest = b""
        self._dropped += self._cut
        self._tell_dropped()

    def _read(self) -> bool:
        """Take in what one read gives; False when there is nothing more now."""
        if not self._open:
            return False
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._close()
            return False
        # A line costs what stands before it in the log, too: a flood of empty ones is a flood.
        if self._lines.allows(len(data) + _LINE_OVERHEAD_BYTES * data.count(b"\n")):
            self._split(self._after_cut(data))
        else:
            self._dropped += data.count(b"\n")
            self._rest, self._cut = b"", not data.endswith(b"\n")
        return True

    def _after_cut(self, data: bytes) -> bytes:
        """Leave out the end of a line whose beginning was dropped, and tell how many lines are missing here."""
        if self._cut:
            _, newline, data = data.partition(b"\n")
            if not newline:
                return b""
            self._dropped += 1
            self._cut = False
        self._tell_dropped()
        return data

    def _split(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            for start in range(0, len(line) or 1, _LINE_BYTES):
                self._lines.line(_text(line[start : start + _LINE_BYTES]))
        while len(self._rest) >= _LINE_BYTES:
            self._lines.line(_text(self._rest[:_LINE_BYTES]))
            self._rest = self._rest[_LINE_BYTES:]

    def _tell_dropped(self) -> None:
        if self._dropped:
            self._lines.dropped(self._dropped)
            self._dropped = 0

    def _close(self) -> None:
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)


def _text(line: bytes) -> str:
    return line.decode(errors="replace").removesuffix("\r")
