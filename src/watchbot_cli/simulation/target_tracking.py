"""Target tracking: AWS's own two alarms and the proportional rule behind them."""

from __future__ import annotations

import dataclasses
import math

from watchbot_cli.simulation.alarm import Alarm, AlarmRule, Operand
from watchbot_cli.simulation.expression import Expression
from watchbot_cli.simulation.metrics import Datapoint

_OUT_DATAPOINTS = 3
_IN_DATAPOINTS = 15
_IN_SHARE = 0.9


@dataclasses.dataclass(frozen=True, slots=True)
class TrackingPolicy:
    """Keep a metric at a target: above it for 3 minutes means more tasks, 10 % below it for 15 minutes fewer.

    AWS makes the alarms; that they are 3 of 3 above the target and 15 of 15 below 90 % of it is what they show.
    https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
    """

    expression: Expression
    operands: dict[str, Operand]
    target: float
    out_cooldown_seconds: float = 300.0
    in_cooldown_seconds: float = 300.0
    scale_in: bool = True

    def capacity(self, running: int, value: float) -> int:
        """Give the number of tasks that would bring the metric to its target, if it fell as tasks are added."""
        return math.ceil(running * value / self.target - 1e-9)


class Tracking:
    """A policy and the states of its alarms."""

    def __init__(self, policy: TrackingPolicy) -> None:
        self.policy = policy
        self._above = Alarm(self._rule("above", "GreaterThanThreshold", policy.target, _OUT_DATAPOINTS))
        self._below = Alarm(self._rule("below", "LessThanThreshold", policy.target * _IN_SHARE, _IN_DATAPOINTS))

    @property
    def is_out(self) -> bool:
        """Whether the metric is above its target."""
        return self._above.in_alarm

    def observe(self, point: Datapoint | None, base: int) -> int | None:
        """Hear of one more minute; give the number of tasks to have instead of ``base``, None while all is well."""
        high, low = self._above.observe(point), self._below.observe(point)
        if self._above.in_alarm and high is not None:
            return self.policy.capacity(max(base, 1), high)
        if self._below.in_alarm and low is not None and self.policy.scale_in:
            return self.policy.capacity(base, low)
        return None

    def _rule(self, name: str, comparison: str, threshold: float, datapoints: int) -> AlarmRule:
        return AlarmRule(
            name,
            self.policy.expression,
            self.policy.operands,
            comparison,
            threshold,
            evaluation_periods=datapoints,
            datapoints_to_alarm=datapoints,
        )
