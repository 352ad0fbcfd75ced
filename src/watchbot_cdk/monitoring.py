"""What was asked for to watch the service by."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from watchbot_cdk.alarms import Alarms
from watchbot_cdk.problems import kind_problems


@dataclasses.dataclass(frozen=True, kw_only=True)
class Monitoring:
    """The arguments of a Watchbot for its alarms and its dashboard."""

    alarms: Alarms
    dashboard: bool

    @property
    def has_alarms(self) -> bool:
        """Whether any alarm is on."""
        return bool(self.alarms.chosen)

    def kinds(self) -> Iterable[str]:
        """Say which arguments are of another kind."""
        yield from kind_problems("alarms", self.alarms, Alarms)
        if isinstance(self.alarms, Alarms):
            yield from self.alarms.kinds()
        yield from kind_problems("dashboard", self.dashboard, bool)

    def problems(self) -> Iterable[str]:
        """Say what cannot be, of arguments of the right kinds."""
        yield from self.alarms.problems()
