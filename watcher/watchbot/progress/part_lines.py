"""A job's parts as lines of text: a JSON object for each, which are the part's own fields."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from watchbot.progress.convention import check_fields
from watchbot.progress.errors import InvalidValueError


def read_parts(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    """Read every line, so that nothing is begun of what cannot be finished; those without text are none.

    Raises :class:`InvalidValueError` that names the line.
    """
    parts = [_part(f"line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    if not parts:
        raise InvalidValueError("standard input", "no line", "a line with a JSON object for each part")
    return parts


def _part(name: str, line: bytes) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InvalidValueError(name, line.decode(errors="replace").strip(), "a JSON object") from None
    check_fields(name, fields)
    return fields


def _no_constant(text: str) -> None:
    raise ValueError(text)
