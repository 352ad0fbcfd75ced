"""A row of numbers drawn in a terminal."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

_BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = len(_BLOCKS) - 1


def drawn(values: Sequence[float], *, width: int, height: int) -> list[str]:
    """Draw the values as columns of blocks, from the top line down; where several share a column, the largest counts.

    Whatever is not 0 is seen.
    """
    shown = columns(values, width)
    highest = max(shown, default=0) or 1
    filled = [math.ceil(value / highest * height * _EIGHTHS) for value in shown]
    return [
        "".join(_BLOCKS[min(_EIGHTHS, max(0, eighths - line * _EIGHTHS))] for eighths in filled)
        for line in reversed(range(height))
    ]


def columns(values: Sequence[float], width: int) -> list[float]:
    """Give so many values; where several share a column, the largest."""
    if not values:
        return []
    edges = [len(values) * column // width for column in range(width + 1)]
    return [max(values[low : max(low + 1, high)]) for low, high in itertools.pairwise(edges)]
