"""What is held: our promises, and the figures that are committed."""

from __future__ import annotations

from collections.abc import Iterator

from bench.scaling.contest import OURS, UNPROTECTED, Entry, Table

_MOST_TASK_HOURS = 1.2
_SAME_SHARE = 0.001


def broken_promises(table: Table) -> Iterator[str]:
    """Say where another way to scale is better: wait, end, kills, or by more than a fifth in task-hours."""
    for workload, entries in table.items():
        ours = entries[OURS]
        others = [one for name, one in entries.items() if name not in (OURS, UNPROTECTED)]
        if ours.killed:
            yield f"{workload}: {ours.killed} jobs were killed"
        for what in ("p50", "drained"):
            best = min((getattr(one, what) for one in others if getattr(one, what) is not None), default=None)
            own = getattr(ours, what)
            if own is None or (best is not None and own > best):
                yield f"{workload}: {what} is {own} min, and {best} min elsewhere"
        fewest = min(one.task_hours for one in entries.values() if one.drained is not None)
        if ours.task_hours > _MOST_TASK_HOURS * fewest:
            yield f"{workload}: {ours.task_hours} task-hours, and {fewest} elsewhere"


def changes(table: Table, committed: Table) -> Iterator[str]:
    """Say which figures are not those that are committed."""
    for workload, entries in table.items():
        for name, entry in entries.items():
            known = committed.get(workload, {}).get(name)
            if known is None or not _is_same(entry, known):
                yield f"{workload}, {name}: {entry}, committed is {known}"


def _is_same(one: Entry, other: Entry) -> bool:
    pairs = zip(_numbers(one), _numbers(other), strict=True)
    return all(a is b or (a is not None and b is not None and abs(a - b) <= _SAME_SHARE * abs(b)) for a, b in pairs)


def _numbers(entry: Entry) -> tuple[float | None, ...]:
    return entry.p50, entry.p95, entry.drained, entry.killed, entry.task_hours
