"""Draws the dashboard of a service with made-up figures, from the widgets that the construct itself lays out.

``python docs/dashboard_picture.py`` writes docs/images/dashboard.svg. The figures tell of six hours: a burst of
messages in the third, and in the fifth a quarter of an hour in which many jobs fail.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from watchbot_cdk.dashboard import Line, Widget, dashboard_body, widgets
from watchbot_cdk.metric_source import MetricSource

PICTURE = Path(__file__).parent / "images" / "dashboard.svg"

_MINUTES = range(0, 360, 3)
_CELL_WIDTH, _CELL_HEIGHT = 44, 36
_LEFT, _TOP, _RIGHT, _BOTTOM = 44, 40, 22, 46
_STYLE = """
text { font-family: Helvetica, Arial, sans-serif; font-size: 10px; fill: #545b64; }
.title { font-size: 13px; font-weight: bold; fill: #16191f; }
.key { font-size: 9px; }
.head { font-size: 15px; font-weight: bold; fill: #16191f; }
.panel { fill: #ffffff; stroke: #d5dbdb; }
.grid { stroke: #eaeded; }
"""

Values = Sequence[float]


def figures() -> Mapping[tuple[str, str], Values]:
    """Make up six hours of every line, by the titles of widgets and the labels in them."""
    chance = random.Random(7)  # noqa: S311 - the same picture each time
    waiting = 0.0
    lines: dict[tuple[str, str], list[float]] = {}

    def add(title: str, **values: float) -> None:
        for label, value in values.items():
            lines.setdefault((title, label.replace("_", " ")), []).append(value)

    for minute in _MINUTES:
        burst, trouble = 120 <= minute < 150, 240 <= minute < 255
        sent = 22 + 6 * math.sin(minute / 40) + 38 * burst + chance.uniform(-3, 3)
        done = min(sent + waiting / 3, 40 + chance.uniform(-2, 2))
        waiting = max(0.0, waiting + 3 * (sent - done))
        middle = 21_000 + 2000 * math.sin(minute / 25) + chance.uniform(-800, 800)
        age = 60 * waiting / done
        errors = done * (0.4 if trouble else 0.02) * chance.uniform(0.7, 1.3)
        timed_out, rejected = 0.25 * errors * trouble, 0.2 * errors
        add("Queue", waiting=waiting, in_flight=done * middle / 60_000)
        add("Age of the oldest message", oldest=age + chance.uniform(0, 2))
        add("Messages in and out", **{"in": sent, "out": done})
        add(
            "Dwell: from sent to settled",
            p50=middle + 800 * age,
            p90=1.8 * middle + 1000 * age,
            p99=3 * middle + 1100 * age,
        )
        add("Duration of jobs", p50=middle, p90=1.8 * middle, p99=3 * middle + chance.uniform(0, 6000))
        add("Outcomes", succeeded=done - errors, not_now=0.05 * done, interrupted=2.0 * (minute == 300), errors=errors)
        jobs = min(16.0, math.ceil(done * middle / 60_000))
        add("Tasks running", watchers=2 + 2.0 * (300 <= minute < 303), jobs_at_once=jobs, workers_that_do_not_start=0)
        dead_lettered = 0.15 * errors * trouble
        add("Failures by kind", rejected=rejected, dead_lettered=dead_lettered, timed_out=timed_out, leases_lost=0)
        add("Failures by kind", failed=errors - rejected - timed_out - dead_lettered)
        add("Dead letters", dead_letters=0 if minute < 246 else 3 if minute < 252 else 7 if minute < 330 else 0)
    return {
        (title, label.replace("dead lettered", "dead-lettered")): values for (title, label), values in lines.items()
    }


def picture() -> str:
    """Draw the dashboard as SVG."""
    source = MetricSource(service="Thumbnails/svc", queue="queue", dead_letter_queue="dead", tasks=tuple)
    shown = widgets(source)
    places = dashboard_body(shown, "eu-west-1")["widgets"]
    values = figures()
    panels = [_panel(widget, place, values) for widget, place in zip(shown, places, strict=True)]
    width = max(place["x"] + place["width"] for place in places) * _CELL_WIDTH
    height = max(place["y"] + place["height"] for place in places) * _CELL_HEIGHT + _CELL_HEIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"',
            ">",
            "<title>The dashboard of a service, with made-up figures</title>",
            f"<style>{_STYLE}</style>",
            f'<rect width="{width}" height="{height}" fill="#f2f3f3"/>',
            '<text class="head" x="12" y="24">Thumbnails-svcDashboard</text>',
            *panels,
            "</svg>\n",
        ]
    )


def _panel(widget: Widget, place: Mapping[str, int], values: Mapping[tuple[str, str], Values]) -> str:
    width, height = place["width"] * _CELL_WIDTH - 8, place["height"] * _CELL_HEIGHT - 8
    lines = [(line, values[widget.title, line.label]) for line in widget.lines if line.visible]
    plot = _Plot(width, height, _heights([series for _, series in lines], stacked=widget.stacked))
    left, top = place["x"] * _CELL_WIDTH + 4, place["y"] * _CELL_HEIGHT + _CELL_HEIGHT
    return "\n".join(
        [
            f'<g transform="translate({left} {top})">',
            f'<rect class="panel" width="{width}" height="{height}" rx="3"/>',
            f'<text class="title" x="12" y="20">{escape(widget.title)}</text>',
            f'<text x="12" y="34">{escape(widget.unit)}</text>',
            *plot.grid(),
            *plot.drawn([line for line, _ in lines], stacked=widget.stacked),
            *_legend([line for line, _ in lines], height),
            "</g>",
        ]
    )


def _heights(lines: Sequence[Values], *, stacked: bool) -> list[list[float]]:
    heights: list[list[float]] = []
    for line in lines:
        below = heights[-1] if stacked and heights else [0.0] * len(line)
        heights.append([base + value for base, value in zip(below, line, strict=True)])
    return heights


class _Plot:
    """The area of a panel in which lines are drawn."""

    def __init__(self, width: int, height: int, heights: Sequence[Values]) -> None:
        self._right, self._base = width - _RIGHT, height - _BOTTOM
        self._heights = heights
        self._most = _round_up(max(max(line) for line in heights))

    def grid(self) -> list[str]:
        """Draw the lines behind: four steps up, two hours each to the right."""
        parts = []
        for step in range(5):
            value = self._most * step / 4
            y = self._y(value)
            parts.append(f'<path class="grid" d="M{_LEFT} {y}H{self._right}"/>')
            parts.append(f'<text x="{_LEFT - 5}" y="{y + 3:.1f}" text-anchor="end">{_short(value)}</text>')
        for hour in range(0, 7, 2):
            x = self._x(hour * 60 / _MINUTES.step)
            parts.append(f'<text x="{x}" y="{self._base + 14}" text-anchor="middle">{9 + hour:02}:00</text>')
        return parts

    def drawn(self, lines: Sequence[Line], *, stacked: bool) -> list[str]:
        """Draw each line, or each area from the top of the pile down."""
        if not stacked:
            drawn = zip(lines, self._heights, strict=True)
            return [
                f'<path fill="none" stroke="{line.color}" stroke-width="1.5" d="M{self._path(values)}"/>'
                for line, values in drawn
            ]
        floor = f"L{self._right} {self._base}L{_LEFT} {self._base}Z"
        return [
            f'<path fill="{line.color}" fill-opacity="0.85" d="M{self._path(values)}{floor}"/>'
            for line, values in reversed([*zip(lines, self._heights, strict=True)])
        ]

    def _path(self, values: Values) -> str:
        return "L".join(f"{self._x(number)} {self._y(value)}" for number, value in enumerate(values))

    def _x(self, number: float) -> float:
        return round(_LEFT + (self._right - _LEFT) * number / (len(_MINUTES) - 1), 1)

    def _y(self, value: float) -> float:
        return round(self._base - (self._base - _TOP - 8) * value / self._most, 1)


def _legend(lines: Sequence[Line], height: int) -> list[str]:
    parts, x = [], 10.0
    for line in lines:
        parts.append(f'<rect x="{x:.0f}" y="{height - 20}" width="9" height="9" fill="{line.color}"/>')
        parts.append(f'<text class="key" x="{x + 13:.0f}" y="{height - 12}">{escape(line.label)}</text>')
        x += 20 + 4.9 * len(line.label)
    return parts


def _round_up(value: float) -> float:
    """Give the next number of one digit, or one and a half of it, that is divided by four without trouble."""
    scale: float = 10 ** math.floor(math.log10(max(value, 1)))
    return next(step * scale for step in (1, 2, 4, 6, 8, 10, 12) if step * scale >= value)


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


if __name__ == "__main__":
    PICTURE.write_text(picture())
