"""What is held: our promises, the committed figures, and what another model found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.scaling.contest import OFFSETS, OURS, QUANTITIES, UNPROTECTED, Row, Table

_MOST_TASK_HOURS = 1.2
_SAME_SHARE = 0.001


def broken_promises(table: Table) -> Iterator[str]:
    """Say where another way to scale is better at any offset: wait, end, kills, or by more than a fifth in task-hours.

    Waits and ends are compared among those that begin with as many tasks, task-hours among all.
    """
    for workload, rows in table.items():
        for at, offset in enumerate(OFFSETS):
            for name in (one for one in OURS if one in rows):
                for problem in _broken(rows, name, at):
                    yield f"{workload}, {name}, {offset:g} s after a metric: {problem}"


def _broken(rows: Mapping[str, Row], name: str, at: int) -> Iterator[str]:
    ours = rows[name].entries[at]
    others = [row for other, row in rows.items() if other not in (*OURS, UNPROTECTED)]
    if ours.killed:
        yield f"{ours.killed} jobs were killed"
    for quantity in ("p50", "drained"):
        known = [row.values(quantity)[at] for row in others if row.minimum == rows[name].minimum]
        best = min((value for value in known if value is not None), default=None)
        own = getattr(ours, quantity)
        if own is None or (best is not None and own > best):
            yield f"{quantity} is {own} min, and {best} min elsewhere"
    fewest = min(row.entries[at].task_hours for row in rows.values() if row.entries[at].drained is not None)
    if ours.task_hours > _MOST_TASK_HOURS * fewest:
        yield f"{ours.task_hours} task-hours, and {fewest} elsewhere"


def changes(table: Table, committed: Table) -> Iterator[str]:
    """Say which figures are not those that are committed, and which of those are no more."""
    for workload, rows in table.items():
        for name, row in rows.items():
            known = committed.get(workload, {}).get(name)
            if known is None or not _is_same(row, known):
                yield f"{workload}, {name}: {row}, committed is {known}"
        for name in committed.get(workload, {}).keys() - rows.keys():
            yield f"{workload}, {name}: committed, but not simulated"


def _is_same(one: Row, other: Row) -> bool:
    if one.minimum != other.minimum or len(one.entries) != len(other.entries):
        return False
    pairs = [pair for each in QUANTITIES for pair in zip(one.values(each), other.values(each), strict=True)]
    return all(a is b or (a is not None and b is not None and abs(a - b) <= _SAME_SHARE * abs(b)) for a, b in pairs)


Reference = Mapping[str, Mapping[str, Mapping[str, float | Sequence[float]]]]
"""What another model found, by workload, what scales and quantity: a number, or the least and the most."""

_NEAR = 0.1
_ROUNDING = 0.05
_WATCHES_LONGER_MINUTES = 10.0
"""Its end is so long after the last job."""


def unexplained(table: Table, reference: Reference, explained: Mapping[str, str]) -> Iterator[str]:
    """Say where a figure is more than a tenth apart from the other model's without a reason, or with a needless one.

    Compared is the offset at which that model begins, just before a metric. Jobs killed depend on chance: of these
    the figures of all offsets are compared. ``explained`` are reasons, by ``workload, what scales: quantity``.
    """
    found = set()
    for workload, rows in reference.items():
        for name, figures in rows.items():
            for quantity, figure in figures.items():
                key = f"{workload}, {name}: {quantity}"
                problem = _difference(table[workload][name], quantity, figure)
                if problem is not None:
                    found.add(key)
                if problem is not None and key not in explained:
                    yield f"{key} is {problem}, and no reason is given"
    for key in explained.keys() - found:
        yield f"{key} is explained, but is no difference"


def _difference(row: Row, quantity: str, figure: float | Sequence[float]) -> str | None:
    low, high = figure if isinstance(figure, Sequence) else (figure, figure)
    if quantity == "drained":
        low, high = low - _WATCHES_LONGER_MINUTES, high - _WATCHES_LONGER_MINUTES
    known = row.values(quantity) if quantity == "killed" else row.values(quantity)[-1:]
    values = [value for value in known if value is not None]
    if any(low * (1 - _NEAR) - _ROUNDING <= value <= high * (1 + _NEAR) + _ROUNDING for value in values):
        return None
    if values and min(values) <= low and high <= max(values):
        return None
    ours, theirs = (f"{a:g}" if a == b else f"{a:g} to {b:g}" for a, b in ((min(values), max(values)), (low, high)))
    return f"{ours} here, and {theirs} in the other model"
