"""A job's parts as lines of text: a JSON object for each, which are the part's own fields."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from watchbot.progress.convention import MAP_SUBJECT, check_fields, map_text
from watchbot.progress.errors import InvalidValueError
from watchbot.progress.job import MOST_PARTS
from watchbot.progress.topic import BATCH_BYTES, Message

MOST_GROWTH = 6
"""Bytes of a message for one of a line: an é may become \\u00e9, and a comma gets a space."""


class PartLines:
    """The parts of a job, each read again when it is its turn: as lines, a million of them are about 80 MB.

    Every line is read at first, so that nothing is begun of what cannot be finished; those without text are none.
    Raises :class:`InvalidValueError` that names the line.
    """

    def __init__(self, lines: Iterable[bytes], job_id: str, metadata: Mapping[str, Any] | None) -> None:
        self._lines: list[bytes] = []
        besides = len(map_text("metadata", job_id, MOST_PARTS, {}, metadata))
        for number, line in enumerate(lines, 1):
            if line.strip():
                self._lines.append(line)
                name, part = f"line {number}", len(self._lines)
                fields = _fields(name, line)
                check_fields(name, fields)
                if len(line) * MOST_GROWTH + besides > BATCH_BYTES:
                    _check_size(name, map_text(name, job_id, part, fields, metadata))
        if not self._lines:
            raise InvalidValueError("standard input", "no line", "a line with a JSON object for each part")

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self._lines)


def _check_size(name: str, text: str) -> None:
    size = Message(MAP_SUBJECT, text, key="").size
    if size > BATCH_BYTES:
        allowed = f"a message of at most {BATCH_BYTES} bytes, with all that it says"
        raise InvalidValueError(name, f"{size} bytes", allowed)


def _fields(name: str, line: bytes) -> Any:
    try:
        return json.loads(line, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise InvalidValueError(name, line.decode(errors="replace").strip(), "a JSON object") from None


def _no_constant(text: str) -> None:
    raise ValueError(text)


def _finite(text: str) -> float:
    """Read a number; one like 1e999 is infinite to Python, and no JSON when it is written."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
