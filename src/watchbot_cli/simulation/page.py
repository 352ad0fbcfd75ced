"""One page of HTML that needs nothing else: all runs in a table and in common charts, and each by itself."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from watchbot_cli.simulation.cost import Prices
from watchbot_cli.simulation.page_chart import Axes, Series, axes_of, chart
from watchbot_cli.simulation.report import COLUMNS, NOT_PRICED, row
from watchbot_cli.simulation.run import Run
from watchbot_cli.simulation.workload import Workload
from watchbot_cli.span import spoken
from watchbot_cli.terminal_text import harmless

BEGINNING = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>watchbot simulate</title>'
"""What every page begins with, and no other file of somebody's."""

_MOST_TIMES_THE_SHORTEST = 3
"""The time axis ends at so many times the shortest run: one that never ends leaves the others some room."""

_COLOURS = ("#1f6feb", "#d1570a", "#2e9e44", "#9b51e0", "#c2255c", "#0d9aa8", "#8a6d00", "#7a7f87")
_DASHES = ("none", "8 4", "2 3")
"""Lines that lie on each other are all seen, and colours are not all that tells them apart."""

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1rem 0; } figcaption { font-size: 13px; }
svg { width: 100%; min-width: 34rem; height: auto; display: block; }
.conditions { font: 13px/1.6 ui-monospace, monospace; overflow-wrap: anywhere; }
.conditions span { display: inline-block; }
.grid { stroke: #8883; } .tick { font-size: 11px; fill: currentColor; opacity: .75; }
.end { text-anchor: end; } .mid { text-anchor: middle; }
.messages { fill: #b35900; fill-opacity: .75; } .running { fill: #1f6feb; fill-opacity: .75; }
.desired { fill: none; stroke: currentColor; stroke-opacity: .7; }
.run { fill: none; stroke-width: 1.8; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
.legend svg { display: inline; width: 2rem; min-width: 0; height: .8rem; vertical-align: middle; margin-right: .4rem; }
"""


def page(runs: Sequence[Run], workload: Workload, prices: Prices, conditions: Sequence[str]) -> str:
    """Write the page; ``conditions`` are the options that give the same figures again."""
    jobs = f"{len(workload.sent):,} jobs of {spoken(workload.mean_seconds)} on average"
    head = "".join(f"<th>{_escaped(column)}</th>" for column in COLUMNS)
    rows = "".join(f"<tr>{''.join(f'<td>{_escaped(cell)}</td>' for cell in row(run))}</tr>" for run in runs)
    messages, tasks = _axes(runs)
    together = _together(runs, messages, tasks) if len(runs) > 1 else ""
    return (
        f"{BEGINNING}"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}{''.join(_run_styles(len(runs)))}</style></head><body><h1>{jobs}</h1>"
        f'<p class="conditions">{" ".join(f"<span>{_escaped(one)}</span>" for one in conditions)}</p>'
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"<p>Prices of {prices.region}, {prices.as_of}, without free tiers. {_escaped(NOT_PRICED)}</p>"
        f"{''.join(_cut(runs, messages.seconds))}{together}"
        f"{''.join(_section(run, messages, tasks) for run in runs)}</body></html>\n"
    )


def _escaped(text: str) -> str:
    """Write a text as HTML: names of templates and files may hold markup, and halves of characters."""
    return html.escape(harmless(text))


def _axes(runs: Sequence[Run]) -> tuple[Axes, Axes]:
    """Give the axes of messages and of tasks that all runs share."""
    spans = [run.figures.span_seconds for run in runs]
    seconds = min(max(spans), _MOST_TIMES_THE_SHORTEST * min(spans))
    samples = [one for run in runs for one in run.figures.timeline]
    most_tasks = max((max(one.running, one.desired) for one in samples), default=0)
    return axes_of(seconds, max((one.outstanding for one in samples), default=0)), axes_of(seconds, most_tasks)


def _cut(runs: Sequence[Run], seconds: float) -> Iterator[str]:
    longer = [run for run in runs if run.figures.span_seconds > seconds]
    if longer:
        names = ", ".join(f"{run.setting.name} ({spoken(run.figures.span_seconds)})" for run in longer)
        yield f"<p>The charts end at {spoken(seconds)}. Longer took {_escaped(names)}.</p>"


def _together(runs: Sequence[Run], messages: Axes, tasks: Axes) -> str:
    legend = "".join(
        f'<li><svg viewBox="0 0 32 10"><line class="run run{number}" x1="0" x2="32" y1="5" y2="5"/></svg>'
        f"{_escaped(run.setting.name)}</li>"
        for number, run in enumerate(runs)
    )
    timelines = [(f"run run{number}", run.figures.timeline) for number, run in enumerate(runs)]
    outstanding = [
        Series(kind, [one.seconds for one in line], [one.outstanding for one in line]) for kind, line in timelines
    ]
    running = [Series(kind, [one.seconds for one in line], [one.running for one in line]) for kind, line in timelines]
    return (
        f'<h2>All together</h2><ul class="legend">{legend}</ul>'
        + chart("messages outstanding", messages, outstanding)
        + chart("tasks running", tasks, running)
    )


def _run_styles(runs: int) -> Iterator[str]:
    for number in range(runs):
        colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
        yield f".run{number} {{ stroke: {colour}; stroke-dasharray: {dash}; }}\n"


def _section(run: Run, messages: Axes, tasks: Axes) -> str:
    timeline = run.figures.timeline
    seconds = [one.seconds for one in timeline]
    notes = "".join(f"<p>{_escaped(note)}</p>" for note in run.notes)
    outstanding = Series("messages", seconds, [one.outstanding for one in timeline], filled=True)
    running = Series("running", seconds, [one.running for one in timeline], filled=True)
    desired = Series("desired", seconds, [one.desired for one in timeline])
    return (
        f"<h2>{_escaped(run.setting.name)}</h2><p>{_escaped(run.spoken_cost)}</p>{notes}"
        + chart("messages outstanding", messages, [outstanding])
        + chart("tasks running, and desired as a line", tasks, [running, desired])
    )
