"""One page of HTML that needs nothing else: all runs in a table, and each over time."""

from __future__ import annotations

import html
from collections.abc import Sequence

from watchbot_cli.chart import columns
from watchbot_cli.simulation.cost import Prices
from watchbot_cli.simulation.report import COLUMNS, row
from watchbot_cli.simulation.run import Run
from watchbot_cli.simulation.workload import Workload
from watchbot_cli.span import spoken

_WIDTH, _HEIGHT = 720, 120
_MOST_POINTS = 720
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; } svg { width: 100%; height: auto; display: block; }
.messages { fill: #b35900; } .running { fill: #1f6feb; } .desired { fill: none; stroke: #888; }
.scale { font-size: 11px; fill: currentColor; } :root { color-scheme: light dark; }
"""


def page(runs: Sequence[Run], workload: Workload, prices: Prices) -> str:
    """Write the page."""
    jobs = f"{len(workload.sent):,} jobs of {spoken(workload.mean_seconds)} on average"
    head = "".join(f"<th>{html.escape(column)}</th>" for column in COLUMNS)
    rows = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row(run))}</tr>" for run in runs)
    span = max(run.figures.span_seconds for run in runs)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>watchbot simulate</title>'
        f"<style>{_STYLE}</style></head><body><h1>{jobs}</h1><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table><p>Prices of {prices.region}, {prices.as_of}, without free tiers.</p>"
        f"{''.join(_section(run, span) for run in runs)}</body></html>\n"
    )


def _section(run: Run, span: float) -> str:
    name = html.escape(run.setting.name)
    timeline = run.figures.timeline
    width = min(_MOST_POINTS, len(timeline))
    seconds = columns([one.seconds for one in timeline], width)
    messages = columns([one.outstanding for one in timeline], width)
    running = columns([one.running for one in timeline], width)
    desired = columns([one.desired for one in timeline], width)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in run.notes)
    tasks = max([1, *running, *desired])
    return (
        f"<h2>{name}</h2><p>{html.escape(run.spoken_cost)}</p>{notes}"
        + _chart(
            f"messages, at most {max([0, *messages]):,}",
            span,
            _area(seconds, messages, span, max([1, *messages]), "messages"),
        )
        + _chart(
            f"tasks running, and desired as a line, at most {tasks:,}",
            span,
            _area(seconds, running, span, tasks, "running") + _line(seconds, desired, span, tasks, "desired"),
        )
    )


def _chart(title: str, span: float, shapes: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + 16}" role="img" aria-label="{title}">{shapes}'
        f'<text class="scale" x="0" y="{_HEIGHT + 13}">{title}; {spoken(span)} from left to right</text></svg>'
    )


def _area(seconds: Sequence[float], values: Sequence[float], span: float, highest: float, kind: str) -> str:
    points = _points(seconds, values, span, highest)
    last = points.rpartition(" ")[2].partition(",")[0] or "0"
    return f'<polygon class="{kind}" points="0,{_HEIGHT} {points} {last},{_HEIGHT}"/>'


def _line(seconds: Sequence[float], values: Sequence[float], span: float, highest: float, kind: str) -> str:
    return f'<polyline class="{kind}" points="{_points(seconds, values, span, highest)}"/>'


def _points(seconds: Sequence[float], values: Sequence[float], span: float, highest: float) -> str:
    across, up = _WIDTH / max(span, 1.0), _HEIGHT / highest
    pairs = zip(seconds, values, strict=True)
    return " ".join(f"{time * across:.1f},{_HEIGHT - value * up:.1f}" for time, value in pairs)
