"""A job's parts as lines of text: a JSON object for each, which are the part's own fields."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from watchbot.progress.errors import InvalidValueError


def read_parts(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    """Read every line, so that nothing is begun of what cannot be finished; those without text are none.

    Raises :class:`InvalidValueError` that names the line.
    """
    return [_part(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _part(number: int, line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise InvalidValueError(f"line {number}", line.decode(errors="replace").strip(), "a JSON object")
    return fields
