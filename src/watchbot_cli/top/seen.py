"""What was seen of a service so far."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from watchbot_cli.status.snapshot import Depth, Snapshot

_REMEMBERED = 100_000
"""Of the backlog: five days of readings, should top be forgotten in some window."""


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """The newest of every part that could ever be read; ``troubles`` is why some are older; ``backlog`` goes back."""

    snapshot: Snapshot
    troubles: tuple[str, ...]
    backlog: tuple[int, ...]

    @classmethod
    def first(cls, snapshot: Snapshot) -> Seen:
        """Begin."""
        return cls(snapshot, (), _outstanding(snapshot))

    def then(self, newer: Snapshot) -> Seen:
        """Go on: in the place of what cannot be read any more stays what was read last."""
        stale = {
            name: getattr(self.snapshot, name) for name in newer.unreadable if name not in self.snapshot.unreadable
        }
        backlog = (self.backlog + _outstanding(newer))[-_REMEMBERED:]
        return Seen(dataclasses.replace(newer, **stale), _troubles(newer, stale), backlog)


def _troubles(newer: Snapshot, stale: Mapping[str, object]) -> tuple[str, ...]:
    """Say each reason once, and of which parts."""
    reasons: dict[str, list[str]] = {}
    for name in stale:
        reasons.setdefault(newer.unreadable[name].unreadable, []).append(name.replace("_", " "))
    return tuple(f"{', '.join(names)} as read before: {why}" for why, names in reasons.items())


def _outstanding(snapshot: Snapshot) -> tuple[int, ...]:
    return (snapshot.queue.outstanding,) if isinstance(snapshot.queue, Depth) else ()
