"""Text of others, made safe for a terminal: what steers it, hides or reorders text is shown as its escape.

kubectl printed what a workload had written, and was told to stop: CVE-2021-25743,
https://github.com/kubernetes/kubernetes/issues/101695.
"""

from __future__ import annotations

import json
import re
from typing import Any

_INVISIBLE = (
    "\x7f-\x9f"  # DEL and C1, in which CSI and OSC are one character each
    "\xad"  # the soft hyphen
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # text the other way round, as in https://trojansource.codes
    "\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # of no width
    "\u2028\u2029"  # ends of lines that are not newlines
    "\ud800-\udfff"  # halves of characters
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # of no width, tags among them
)
"""Joiners (U+200C, U+200D) and the selectors of emoji (U+FE0F) are not among them: emoji and languages need those."""

_IN_LINES = re.compile(f"[\x00-\x08\x0b-\x1f{_INVISIBLE}]")
_IN_ONE_LINE = re.compile(f"[\x00-\x1f{_INVISIBLE}]")
_IN_JSON = re.compile(f"[{_INVISIBLE}]")


def harmless(text: str) -> str:
    r"""Return the text with ``\x1b``, ``\u202e`` and their kind spelled out; tabs and newlines stay."""
    return _IN_LINES.sub(_spelled, text)


def one_line(text: str) -> str:
    """Return the text as :func:`harmless` does, without a tab or newline, which could begin a column or row."""
    return _IN_ONE_LINE.sub(_spelled, text)


def harmless_json(value: Any) -> str:
    r"""Return the value as JSON on one line, in which the same characters are ``\uXXXX``: the value is the same."""
    return _IN_JSON.sub(_spelled_in_json, json.dumps(value, ensure_ascii=False, allow_nan=False))


def _spelled(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _spelled_in_json(found: re.Match[str]) -> str:
    # JSON lets DEL be, alone of them, and so does Python.
    return "\\u007f" if found[0] == "\x7f" else json.dumps(found[0])[1:-1]
