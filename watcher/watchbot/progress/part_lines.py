"""A job's parts as lines of text: a JSON object for each, which are the part's own fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from watchbot.progress.convention import check_fields
from watchbot.progress.errors import InvalidValueError


class PartLines:
    """The parts of a job, each read again when it is its turn: as lines, a million of them are about 80 MB.

    Every line is read at first, so that nothing is begun of what cannot be finished; those without text are none.
    Raises :class:`InvalidValueError` that names the line.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines: list[bytes] = []
        for number, line in enumerate(lines, 1):
            if line.strip():
                check_fields(f"line {number}", _fields(f"line {number}", line))
                self._lines.append(line)
        if not self._lines:
            raise InvalidValueError("standard input", "no line", "a line with a JSON object for each part")

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self._lines)


def _fields(name: str, line: bytes) -> object:
    try:
        return json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InvalidValueError(name, line.decode(errors="replace").strip(), "a JSON object") from None


def _no_constant(text: str) -> None:
    raise ValueError(text)
