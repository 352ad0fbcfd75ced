"""The exact-capacity ladder: a number of tasks for every backlog, in few steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from watchbot_cli.simulation.step_scaling import Step

_MOST_STEPS = 20
"""https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html"""

_GROWTHS = (1.5, 1.6)
"""The first that needs no more steps than that is taken."""


def ladder(minimum: int, maximum: int, workers: int) -> Sequence[Step]:
    """Give steps for an alarm at one message: never fewer tasks than the backlog needs, up to the maximum."""
    ladders = [list(_rungs(max(1, minimum), maximum, growth)) for growth in _GROWTHS]
    rungs = next((one for one in ladders if len(one) <= _MOST_STEPS), ladders[-1])
    bounds = [0.0, *(float(rung * workers) for rung in rungs[:-1]), math.inf]
    return [Step(rung, lower, upper) for rung, lower, upper in zip(rungs, bounds, bounds[1:], strict=False)]


def _rungs(lowest: int, highest: int, growth: float) -> Iterator[int]:
    rung = lowest
    while rung < highest:
        yield rung
        rung = max(rung + 1, math.floor(rung * growth))
    yield highest
