"""Services and conditions to simulate in tests."""

from __future__ import annotations

from watchbot_cli.simulation.peers import watchbot_ladder
from watchbot_cli.simulation.setting import Conditions, Setting

CALM = Conditions()


def scaled(maximum: int, *, minimum: int = 0, workers: int = 1) -> Setting:
    """A service that scales as Watchbot's does."""
    return watchbot_ladder(Setting(name="svc", minimum=minimum, maximum=maximum, workers=workers))


def fixed(tasks: int, *, workers: int = 1) -> Setting:
    """A service whose number of tasks never changes."""
    return Setting(name="fixed", minimum=tasks, maximum=tasks, workers=workers)
