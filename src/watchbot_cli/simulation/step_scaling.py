"""Step scaling: how far the alarm's metric is past its threshold chooses the adjustment."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

EXACT = "ExactCapacity"
CHANGE = "ChangeInCapacity"
PERCENT = "PercentChangeInCapacity"
ADJUSTMENT_TYPES = (EXACT, CHANGE, PERCENT)


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """An adjustment for a breach from ``lower`` to ``upper``, both relative to the alarm's threshold."""

    adjustment: float
    lower: float = -math.inf
    upper: float = math.inf

    def holds(self, breach: float) -> bool:
        """Whether it is for this breach: above the threshold the lower bound is in it, below it the upper one.

        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepAdjustment.html
        """
        if breach >= 0 and self.upper > 0:
            return self.lower <= breach < self.upper
        return self.lower < breach <= self.upper


@dataclasses.dataclass(frozen=True, slots=True)
class StepPolicy:
    """A policy as its template writes it."""

    adjustment_type: str
    steps: Sequence[Step]
    cooldown_seconds: float = 300.0
    min_magnitude: int = 0

    def capacity(self, running: int, breach: float) -> int | None:
        """Give the number of tasks that it asks for where so many run; None where no step is for this breach."""
        step = next((one for one in self.steps if one.holds(breach)), None)
        if step is None:
            return None
        match self.adjustment_type:
            case "ExactCapacity":
                return int(step.adjustment)
            case "ChangeInCapacity":
                return running + int(step.adjustment)
            case _:
                return running + self._share(running, step.adjustment)

    def _share(self, running: int, percent: float) -> int:
        """Round as AWS does: towards zero, but never to no change.

        https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
        """
        change = running * percent / 100
        magnitude = max(math.floor(abs(change)) or 1, self.min_magnitude)
        return magnitude if percent > 0 else -magnitude
