"""The last lines that workers wrote, kept while they run."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable

from watchbot.worker_log import Lines

MOST_LINES = 20
_MOST_CHARACTERS = 8192
_LINE_CHARACTERS = 1024


class Tail:
    """The last lines of one worker: at most 20, of 8,192 characters together, of a long line its beginning."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MOST_LINES)

    def add(self, line: str) -> None:
        """Take one line more, in place of the oldest."""
        self._lines.append(line if len(line) <= _LINE_CHARACTERS else f"{line[:_LINE_CHARACTERS]} …")

    def lines(self) -> list[str]:
        """Give the lines, oldest first."""
        kept: deque[str] = deque()
        room = _MOST_CHARACTERS
        for line in reversed(self._lines):
            room -= len(line)
            if room < 0:
                break
            kept.appendleft(line)
        return list(kept)


class OutputTails:
    """A tail of each worker that runs as a process, from its start until it is taken."""

    def __init__(self) -> None:
        self._tails: dict[str, Tail] = {}

    def tailing(self, lines_of: Callable[[str], Lines]) -> Callable[[str], Lines]:
        """Give places for workers' lines that keep a tail besides."""

        def of_job(message_id: str) -> Lines:
            tail = self._tails[message_id] = Tail()
            return _TailedLines(lines_of(message_id), tail)

        return of_job

    def take(self, message_id: str) -> list[str]:
        """Give the last lines of the worker of this message, and keep them no longer."""
        tail = self._tails.pop(message_id, None)
        return [] if tail is None else tail.lines()


@dataclasses.dataclass(frozen=True, slots=True)
class _TailedLines:
    log: Lines
    tail: Tail

    def allows(self, size: int) -> bool:
        return self.log.allows(size)

    def line(self, text: str) -> None:
        self.log.line(text)
        self.tail.add(text)

    def dropped(self, count: int) -> None:
        self.log.dropped(count)
        self.tail.add(f"[{count} lines over the log rate are missing here]")
