"""JSON as RFC 8259 has it, on one line: Python's own module reads and writes more than other readers take.

https://www.rfc-editor.org/rfc/rfc8259
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

DEPTH_LIMIT = 500
"""Python itself, which reads the log back, gives up at about 1,000: https://docs.python.org/3/library/json.html"""

_OPENING = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)
_PAIRED = re.compile(r"(?:[^\\]|\\[^u]|\\u(?![dD][89a-fA-F])....|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*", re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_UNSAFE = re.compile("[\n\r\x85\u2028\u2029\ud800-\udfff]")


def dump(value: Any) -> str:
    """Return the value as JSON on one line.

    NaN and the infinities become null. Halves of a surrogate pair, which UTF-8 lacks, and the line separators that JSON
    allows in a text are escaped. What JSON has no type for becomes its ``str``.
    """
    try:
        text = _ENCODER.encode(value)
    except ValueError:
        text = _ENCODER.encode(without_nan(value))
    return text if text.isascii() else _UNSAFE.sub(_safe, text)


def without_nan(value: Any) -> Any:
    """Return the value with None for each number that JSON cannot hold."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {name: without_nan(one) for name, one in value.items()}
        case list() | tuple():
            return [without_nan(one) for one in value]
        case _:
            return value


def is_object(text: str) -> bool:
    """Return True for one JSON object that every reader takes: no NaN, no half of a surrogate pair, not too deep.

    Numbers of any length and names given twice are JSON, whatever a reader makes of them.
    """
    try:
        value = _STRICT.decode(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict) or (_SURROGATE_ESCAPE.search(text) and not _PAIRED.fullmatch(text)):
        return False
    return text.count("{") + text.count("[") <= DEPTH_LIMIT or _depth(text) <= DEPTH_LIMIT


def on_one_line(text: str) -> str:
    """Return a JSON text of the same value without any line separator: outside of strings they are spaces."""
    return _UNSAFE.sub(_safe, text)


def read_object(text: str) -> dict[str, Any] | None:
    """Read a JSON object that any program has written; None for anything else.

    Numbers that JSON cannot hold, or Python cannot read, stay the text that they are.
    """
    try:
        value = _LENIENT.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _OPENING.finditer(text):
        if match[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif match[2]:
            depth -= 1
    return deepest


def _safe(match: re.Match[str]) -> str:
    return " " if match[0] in "\n\r" else f"\\u{ord(match[0]):04x}"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _as_written(number: str) -> str:
    return number


def _integer(number: str) -> int | str:
    try:
        return int(number)
    except ValueError:
        return number  # too many digits


def _float(number: str) -> float | str:
    value = float(number)
    return value if math.isfinite(value) else number


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str, allow_nan=False)
_STRICT = json.JSONDecoder(parse_constant=_refuse, parse_float=_as_written, parse_int=_as_written)
_LENIENT = json.JSONDecoder(parse_constant=_as_written, parse_float=_float, parse_int=_integer)
