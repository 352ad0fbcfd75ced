"""A snapshot drawn: a pure function, in letters that any terminal has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from watchbot.contract import Isolation
from watchbot_cli.span import spoken
from watchbot_cli.stack_state import StackState
from watchbot_cli.status.snapshot import Alarm, Depth, Limits, Metrics, Percentiles, Snapshot, Unreadable, Watchers
from watchbot_cli.terminal_text import harmless, one_line

_GOOD, _NOTABLE, _BAD, _DIM = "green", "yellow", "bold red", "dim"

_RATES = {
    "received": "received",
    "succeeded": "succeeded",
    "failed": "failed",
    "dead_lettered": "- dead-lettered",
    "no_op": "no-op",
    "interrupted": "interrupted",
}


def screen(snapshot: Snapshot, now: datetime) -> RenderableType:
    """Draw everything; ages of alarms count up to ``now``."""
    return Group(
        Text(one_line(f"{snapshot.service} ({snapshot.isolation.value}) in {snapshot.region}"), style="bold"),
        "",
        _facts(snapshot),
        "",
        _figures(snapshot.metrics),
        *_alarms_told(snapshot, now),
    )


def _facts(snapshot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _lines(snapshot):
        table.add_row(name, text)
    return table


def _lines(snapshot: Snapshot) -> Iterator[tuple[str, Text]]:
    if snapshot.stack is not None and snapshot.stack.told is not None:
        yield "stack", _stack(snapshot.stack)
    ages = snapshot.metrics if isinstance(snapshot.metrics, Metrics) else None
    yield "queue", _queue(snapshot.queue, None if ages is None else ages.oldest_seconds)
    yield (
        "dead letters",
        _dead_letters(snapshot.dead_letters, None if ages is None else ages.oldest_dead_letter_seconds),
    )
    yield "watchers", _watchers(snapshot.watchers)
    if isinstance(snapshot.watchers, Watchers):
        yield from _conditions(snapshot.watchers)
    yield "workers", _workers(snapshot)
    yield "alarms", _alarms(snapshot)
    if snapshot.progress_table is not None:
        yield "progress", Text(one_line(snapshot.progress_table))


def _stack(state: StackState) -> Text:
    text = f"{state.name} {state.told}"
    return Text(one_line(text), style=_BAD if state.is_going or state.status.endswith("_FAILED") else _NOTABLE)


def _queue(depth: Depth | Unreadable, oldest: float | None) -> Text:
    if isinstance(depth, Unreadable):
        return _why(depth)
    text = f"{depth.visible} visible, {depth.in_flight} in flight, {depth.delayed} delayed"
    return Text(text + _oldest(depth, oldest))


def _dead_letters(depth: Depth | Unreadable, oldest: float | None) -> Text:
    if isinstance(depth, Unreadable):
        return _why(depth)
    return Text(f"{depth.outstanding}{_oldest(depth, oldest)}", style=_BAD if depth.outstanding else _GOOD)


def _oldest(depth: Depth, seconds: float | None) -> str:
    """Say it of a queue that holds something: SQS's metric is older than its counts."""
    return f"; the oldest is {spoken(seconds)} old" if depth.outstanding and seconds is not None else ""


def _watchers(watchers: Watchers | Unreadable) -> Text:
    if isinstance(watchers, Unreadable):
        return _why(watchers)
    text = Text(f"{watchers.running} of {watchers.desired} run", style="" if _is_complete(watchers) else _NOTABLE)
    if watchers.pending:
        text.append(f", {watchers.pending} start")
    match watchers.limits:
        case Limits(low, high, suspended):
            text.append(f"; scales from {low} to {high}" + (", which is suspended" if suspended else ""))
        case Unreadable():
            text.append("; scaling: ").append_text(_why(watchers.limits))
    return text


def _is_complete(watchers: Watchers) -> bool:
    return watchers.running >= watchers.desired


def _conditions(watchers: Watchers) -> Iterator[tuple[str, Text]]:
    if watchers.paused is not None:
        yield "paused", Text(f"watchbot resume brings back {watchers.paused} watchers", style=_NOTABLE)
    if watchers.deployment is not None:
        yield "deployment", Text(one_line(watchers.deployment), style=_NOTABLE)


def _workers(snapshot: Snapshot) -> Text:
    text = _running(snapshot)
    metrics = snapshot.metrics
    if isinstance(metrics, Metrics) and metrics.waiting_to_start:
        text.append(f", {metrics.waiting_to_start} could not be started yet", style=_BAD)
    return text


def _running(snapshot: Snapshot) -> Text:
    if snapshot.isolation is Isolation.TASK:
        tasks = snapshot.worker_tasks
        if tasks is None or isinstance(tasks, Unreadable):
            return _why(tasks or Unreadable("not read"))
        return Text(f"{'at least ' if tasks.at_least else ''}{tasks.running} tasks run")
    if isinstance(snapshot.metrics, Unreadable):
        return _why(snapshot.metrics)
    workers = snapshot.metrics.workers
    if workers is None:
        return Text("no watcher has told of any in 5 minutes", style=_DIM)
    return Text(f"about {workers} processes at once in the last minute")


def _alarms(snapshot: Snapshot) -> Text:
    alarms = snapshot.alarms
    if isinstance(alarms, Unreadable):
        return _why(alarms)
    if not alarms.count:
        return Text("the stack has none that watch this service", style=_DIM)
    count = len(alarms.in_alarm)
    return Text(f"{count} of {alarms.count} in ALARM", style=_BAD if count else _GOOD)


def _figures(metrics: Metrics | Unreadable) -> RenderableType:
    if isinstance(metrics, Unreadable):
        return Text("metrics  ").append_text(_why(metrics))
    return Columns([_rates(metrics), _durations(metrics)], padding=(0, 4))


def _rates(metrics: Metrics) -> Table:
    table = _table("per minute, last", "5 min", "hour")
    for name, label in _RATES.items():
        rate = metrics.per_minute[name]
        table.add_row(label, _rate(rate.last_5_minutes), _rate(rate.last_hour))
    return table


def _durations(metrics: Metrics) -> Table:
    table = _table("of the last hour", "p50", "p90", "p99")
    for label, found in (("a job takes", metrics.job_seconds), ("sent to settled", metrics.sent_to_settled_seconds)):
        table.add_row(label, *_percentiles(found))
    return table


def _percentiles(found: Percentiles) -> list[str]:
    return [spoken(seconds) for seconds in (found.p50, found.p90, found.p99)]


def _rate(number: float) -> str:
    return f"{number:,.1f}" if number >= 1 else f"{number:.2g}"


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style=_DIM, padding=(0, 2, 0, 0))
    table.add_column(first, no_wrap=True)
    for other in others:
        table.add_column(other, justify="right", no_wrap=True)
    return table


def _alarms_told(snapshot: Snapshot, now: datetime) -> Iterator[RenderableType]:
    if isinstance(snapshot.alarms, Unreadable):
        return
    for alarm in snapshot.alarms.in_alarm:
        yield ""
        yield _told(alarm, now)


def _told(alarm: Alarm, now: datetime) -> Text:
    ago = spoken(max(0.0, round((now - alarm.since).total_seconds())))
    told = Text(overflow="fold").append(one_line(f"ALARM {alarm.name}"), style=_BAD).append(f" for {ago}")
    return told.append(f", since {alarm.since:%Y-%m-%d %H:%M:%S %Z}\n{harmless(alarm.description)}")


def _why(part: Unreadable) -> Text:
    return Text(harmless(f"not readable: {part.unreadable}"), style=_NOTABLE)
