"""CloudWatch alarms that scale."""

from __future__ import annotations

import dataclasses
import operator
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from watchbot_cli.simulation.expression import Expression, Value
from watchbot_cli.simulation.metrics import PERIOD_SECONDS, Datapoint

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}
STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
    "Sum": sum,
    "SampleCount": len,
}
MISSING_DATA = ("missing", "notBreaching", "breaching", "ignore")
_FURTHER_DATAPOINTS = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Operand:
    """A metric of an expression: where it is in a datapoint, and how a period of it becomes one number."""

    field: str
    statistic: str


@dataclasses.dataclass(frozen=True, slots=True)
class AlarmRule:
    """An alarm as its template writes it: M of N periods of an expression against a threshold."""

    name: str
    expression: Expression
    operands: Mapping[str, Operand]
    comparison: str
    threshold: float
    period_seconds: float = PERIOD_SECONDS
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    missing_data: str = "missing"

    def breaches(self, value: float) -> bool:
        """Whether a value is on the wrong side of the threshold."""
        return COMPARISONS[self.comparison](value, self.threshold)


class Alarm:
    """An alarm's state; it is evaluated each minute, on a window that slides with the clock.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
    """

    def __init__(self, rule: AlarmRule) -> None:
        self.rule = rule
        self.in_alarm = False
        self._length = int(rule.period_seconds // PERIOD_SECONDS)
        self._window: deque[Datapoint | None] = deque(maxlen=self._length)
        looked_at = rule.evaluation_periods + _FURTHER_DATAPOINTS
        self._values: deque[Value] = deque(maxlen=(looked_at - 1) * self._length + 1)
        """The value of the period that ended in each of the last minutes."""

    def observe(self, point: Datapoint | None) -> Value:
        """Evaluate it with one more minute; give the newest value, by which policies choose a step.

        A few more datapoints than needed are looked at; only where fewer than needed exist, missing data counts.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
        """
        self._window.append(point)
        self._values.append(self._value())
        needed = self.rule.evaluation_periods
        real = [one for one in list(self._values)[:: -self._length] if one is not None][:needed]
        breaching = sum(map(self.rule.breaches, real))
        self.in_alarm = self._is_in_alarm(breaching, needed - len(real), any_real=bool(real))
        return real[0] if real else None

    def _is_in_alarm(self, breaching: int, missing: int, *, any_real: bool) -> bool:
        enough = self.rule.datapoints_to_alarm
        if breaching >= enough:
            return True
        if breaching + missing < enough:
            return False
        match self.rule.missing_data:
            case "breaching":
                return True
            case "ignore":
                return self.in_alarm
            case "missing":
                return any_real and breaching > 0
            case _:
                return False

    def _value(self) -> Value:
        window = [one for one in self._window if one is not None]
        return self.rule.expression.value(
            {
                name: STATISTICS[operand.statistic]([getattr(one, operand.field) for one in window]) if window else None
                for name, operand in self.rule.operands.items()
            }
        )
