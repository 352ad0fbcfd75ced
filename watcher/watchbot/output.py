"""A worker's output, taken in line by line without ever holding up the event loop."""

from __future__ import annotations

import asyncio
import os
import re

from watchbot.bug import contained, report_bug
from watchbot.worker_log import Lines

_READ_BYTES = 65_536
_LINE_BYTES = 16_384
"""A longer line is passed on in pieces of this size: what log drivers make of it anyway."""

_LINE_OVERHEAD_BYTES = 96
"""Date, source and message id."""

_PATIENCE_SECONDS = 2.0
"""A prompt or a progress bar ends with no newline; what has waited for one this long is passed on without it."""

_LONGEST_CHARACTER = 4
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Output:
    """The reading end of a worker's standard output and error, which share one pipe and so keep their order.

    A carriage return ends a line as a newline does, so each state of a progress bar is a line; an empty line is one
    only between newlines. What is passed on before its line has ended is never the half of a UTF-8 character.
    """

    def __init__(self, descriptor: int, lines: Lines) -> None:
        self._descriptor = descriptor
        self._lines = lines
        self._rest = b""
        self._rest_since = 0.0
        self._begun = False
        self._dropped = 0
        self._cut = False
        self._open = True
        self._timer: asyncio.TimerHandle | None = None
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def finish(self) -> None:
        """Take in what is left in the pipe and close it; what is written after the worker's end is not waited for."""
        with contained():
            for _ in range(4):
                if not self._read():
                    break
        self._close()
        if self._timer is not None:
            self._timer.cancel()
        if self._rest.rstrip(b"\r"):
            self._pass(self._rest.rstrip(b"\r"))
            self._rest = b""
        self._dropped += self._cut
        self._report_dropped()

    def _read(self) -> bool:
        """Take in what one read gives; False when there is nothing more now."""
        if not self._open:
            return False
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            report_bug(error)
            data = b""
        if not data:
            self._close()
            return False
        try:
            self._take(data)
        except Exception as error:  # noqa: BLE001 - what was not passed on is counted, and the next line is read
            self._drop(data)
            report_bug(error)
        if self._rest and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._flush)
        return True

    def _take(self, data: bytes) -> None:
        # A line costs what stands before it in the log, too: a flood of empty ones is a flood.
        if self._allows(len(data) + _LINE_OVERHEAD_BYTES * _count_ends(data)):
            self._split(self._after_cut(data))
        else:
            self._drop(data)

    def _drop(self, data: bytes) -> None:
        if self._rest.endswith(b"\r"):
            # A whole line that came in time; only whether a newline follows was not known.
            self._pass(self._rest.removesuffix(b"\r"))
            data = data.removeprefix(b"\n")
        self._dropped += _count_ends(data)
        self._rest, self._begun, self._cut = b"", data.endswith(b"\r"), not data.endswith((b"\n", b"\r"))

    def _after_cut(self, data: bytes) -> bytes:
        """Leave out the end of a line whose beginning was dropped, and report how many lines are missing here."""
        if self._cut:
            end = _LINE_END.search(data)
            if end is None:
                return b""
            data = data[end.end() :]
            self._dropped += 1
            self._cut = False
        self._report_dropped()
        return data

    def _split(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        if len(lines) > 1 or not self._rest:
            self._rest_since = asyncio.get_running_loop().time()
        self._rest = lines.pop()
        for line in lines:
            states = [state for state in line.split(b"\r") if state] if b"\r" in line else [line]
            if not self._begun or any(states):
                for state in states or [b""]:
                    self._pass(state)
            self._begun = False
        self._pass_states()

    def _pass_states(self) -> None:
        """Pass on what a carriage return or the length limit has ended of the last line; hold the rest.

        A carriage return at the very end may be the first half of a line's end.
        """
        if b"\r" in self._rest:
            states = self._rest.split(b"\r")
            held = 2 if not states[-1] and len(states) > 1 else 1
            for state in filter(None, states[:-held]):
                self._pass(state)
                self._begun = True
            if len(states) > held:
                self._rest_since = asyncio.get_running_loop().time()
            self._rest = b"\r".join(states[-held:])
        while len(self._rest) >= _LINE_BYTES:
            piece = self._rest[: _boundary(self._rest, _LINE_BYTES)]
            self._pass(piece)
            self._rest, self._begun = self._rest[len(piece) :], True

    def _flush(self) -> None:
        """Pass on what has waited long enough for the end of its line; it costs the log a line of its own."""
        self._timer = None
        loop = asyncio.get_running_loop()
        due_at = self._rest_since + _PATIENCE_SECONDS
        if due_at <= loop.time():
            due_at = loop.time() + _PATIENCE_SECONDS
            if self._allows(_LINE_OVERHEAD_BYTES):
                self._flush_rest()
                return
        if self._rest and self._open:
            self._timer = loop.call_at(due_at, self._flush)

    def _flush_rest(self) -> None:
        """Pass on everything but the beginning of a character, which waits for its end."""
        end = _boundary(self._rest, len(self._rest))
        piece, self._rest = self._rest[:end].rstrip(b"\r"), self._rest[end:]
        self._begun = self._begun or end > 0
        if piece:
            self._report_dropped()
            self._pass(piece)

    def _pass(self, line: bytes) -> None:
        """Pass a line on, a long one in pieces."""
        while len(line) > _LINE_BYTES:
            end = _boundary(line, _LINE_BYTES)
            self._pass_piece(line[:end])
            line = line[end:]
        self._pass_piece(line)

    def _pass_piece(self, line: bytes) -> None:
        try:
            self._lines.line(line.decode(errors="replace"))
        except Exception as error:  # noqa: BLE001 - the log, or a tail of it: the next line may fare better
            self._dropped += 1
            report_bug(error)

    def _allows(self, size: int) -> bool:
        with contained():
            return self._lines.allows(size)
        return True

    def _report_dropped(self) -> None:
        if self._dropped:
            with contained():
                self._lines.dropped(self._dropped)
                self._dropped = 0

    def _close(self) -> None:
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)


def _count_ends(data: bytes) -> int:
    returns = data.count(b"\r")
    return data.count(b"\n") + (returns - data.count(b"\r\n") if returns else 0)


def _boundary(data: bytes, limit: int) -> int:
    """Return the last place up to the limit that is not within a UTF-8 character."""
    for back in range(1, min(_LONGEST_CHARACTER, limit + 1)):
        byte = data[limit - back]
        if byte & 0xC0 != 0x80:
            length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return limit - back if length > back else limit
    return limit
