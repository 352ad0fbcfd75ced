"""When a scheduled action of a scalable target comes about."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Sequence

from watchbot_cli.errors import UsageError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _DAYS),
    ("year", 1970, 2199, ()),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression, or one moment: for each field the values at which it is due.

    https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
    """

    fields: Sequence[frozenset[int]]

    @classmethod
    def read(cls, text: str, action: str) -> Schedule:
        """Read ``cron(0 8 ? * MON-FRI *)`` or ``at(2026-01-05T08:00:00)``."""
        match re.fullmatch(r"\s*(cron|at)\((.*)\)\s*", text):
            case None:
                raise _refusal(text, action)
            case found if found[1] == "at":
                return cls._at(text, found[2], action)
            case found:
                parts = found[2].split()
        if len(parts) != len(_FIELDS):
            raise _refusal(text, action)
        try:
            return cls([_values(part, *field[1:]) for part, field in zip(parts, _FIELDS, strict=True)])
        except ValueError:
            raise _refusal(text, action) from None

    @classmethod
    def _at(cls, text: str, moment: str, action: str) -> Schedule:
        try:
            time = datetime.datetime.fromisoformat(moment)
        except ValueError:
            raise _refusal(text, action) from None
        return cls([frozenset({one}) for one in _parts(time)])

    def is_due(self, time: datetime.datetime) -> bool:
        """Whether it comes about in this minute."""
        return all(part in field for part, field in zip(_parts(time), self.fields, strict=True))


def _parts(time: datetime.datetime) -> tuple[int, ...]:
    return time.minute, time.hour, time.day, time.month, time.isoweekday() % 7 + 1, time.year


def _values(part: str, lowest: int, highest: int, names: Sequence[str]) -> frozenset[int]:
    found: set[int] = set()
    for piece in part.upper().split(","):
        bounds, _, step = piece.partition("/")
        if bounds in ("*", "?"):
            low, high = lowest, highest
        else:
            first, _, last = bounds.partition("-")
            low = _value(first, lowest, names)
            high = _value(last, lowest, names) if last else (highest if step else low)
        if not lowest <= low <= high <= highest:
            raise ValueError(piece)
        found.update(range(low, high + 1, int(step or 1)))
    return frozenset(found)


def _value(text: str, lowest: int, names: Sequence[str]) -> int:
    return names.index(text) + lowest if text in names else int(text)


def _refusal(text: str, action: str) -> UsageError:
    fields = ", ".join(name for name, *_ in _FIELDS)
    return UsageError(
        f"the schedule {text!r} of {action} cannot be simulated: only at(…), and cron(…) of {fields} "
        "without L, W and #, can"
    )
