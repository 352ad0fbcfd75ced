"""Charts of a page: values over time with axes, as SVG."""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Iterator, Sequence

from watchbot_cli.chart import columns

_WIDTH, _HEIGHT = 720, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 8, 24
_MOST_POINTS = 360
_TICKS_UP, _TICKS_ACROSS = 5, 8
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS_ACROSS = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 7, 14, 30, 60)),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Axes:
    """What a chart goes up to: seconds, and values; charts beside each other share them."""

    seconds: float
    highest: float

    def x(self, seconds: float) -> float:
        """Give where a time is."""
        return _LEFT + seconds / self.seconds * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Give where a value is."""
        return _TOP + (1 - value / self.highest) * (_HEIGHT - _TOP - _BOTTOM)


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """Values over time; ``kind`` is how the page's style draws them, filled below if ``filled``."""

    kind: str
    seconds: Sequence[float]
    values: Sequence[float]
    filled: bool = False


def axes_of(seconds: float, highest: float) -> Axes:
    """Give axes that end at a tick above the highest value."""
    step = _step_up(highest)
    return Axes(max(seconds, float(_MINUTE)), max(1, math.ceil(highest / step)) * step)


def chart(title: str, axes: Axes, series: Sequence[Series]) -> str:
    """Draw one chart; what is later than its axis is left out."""
    drawn = "".join(_drawn(one, axes) for one in series)
    return (
        f'<figure><figcaption>{html.escape(title)}</figcaption><div class="wide">'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{html.escape(title)}">'
        f"{''.join(_grid(axes))}{drawn}</svg></div></figure>"
    )


def _drawn(series: Series, axes: Axes) -> str:
    pairs = [
        pair for pair in zip(series.seconds, series.values, strict=True) if 0 <= pair[0] <= axes.seconds
    ]  # what is later is cut off
    width = min(_MOST_POINTS, len(pairs))
    times, values = columns([time for time, _ in pairs], width), columns([value for _, value in pairs], width)
    points = [f"{axes.x(time):.1f},{axes.y(value):.1f}" for time, value in zip(times, values, strict=True)]
    if not points:
        return ""
    if not series.filled:
        return f'<polyline class="{series.kind}" points="{" ".join(points)}"/>'
    bottom, first, last = axes.y(0), axes.x(times[0]), axes.x(times[-1])
    return (
        f'<polygon class="{series.kind}" points="{first:.1f},{bottom:.1f} {" ".join(points)} {last:.1f},{bottom:.1f}"/>'
    )


def _grid(axes: Axes) -> Iterator[str]:
    step = _step_up(axes.highest)
    for tick in range(round(axes.highest / step) + 1):
        y = axes.y(tick * step)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick end" x="{_LEFT - 6}" y="{y + 4:.1f}">{tick * step:,}</text>'
    across = _step_across(axes.seconds)
    for tick in range(int(axes.seconds // across) + 1):
        x = axes.x(tick * across)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        yield f'<text class="tick mid" x="{x:.1f}" y="{_HEIGHT - 8}">{_time(tick * across, across)}</text>'


def _step_up(highest: float) -> int:
    """Give a whole 1, 2 or 5 with as many noughts as it takes for a few ticks."""
    least = max(1.0, highest / _TICKS_UP)
    power = int(10 ** math.floor(math.log10(least)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)


def _step_across(seconds: float) -> int:
    return next((step for step in _STEPS_ACROSS if seconds / step <= _TICKS_ACROSS), _STEPS_ACROSS[-1])


def _time(seconds: int, step: int) -> str:
    """Say a time in the unit of its step."""
    if not seconds:
        return "0"
    length, unit = next((one for one in ((_DAY, "d"), (_HOUR, "h")) if step % one[0] == 0), (_MINUTE, "min"))
    return f"{seconds // length:,} {unit}"
