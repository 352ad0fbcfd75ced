"""Numbers as a line of small bars."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(numbers: Sequence[int], width: int) -> str:
    """Draw the newest that fit, from 0 to the largest of them."""
    shown = numbers[-width:] if width > 0 else ()
    top = max(shown, default=0) or 1
    return "".join(_BARS[number * (len(_BARS) - 1) // top] for number in shown)
