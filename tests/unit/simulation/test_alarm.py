"""Alarms: windows, missing data, metric math."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbot_cli.errors import UsageError
from watchbot_cli.simulation.alarm import Alarm, AlarmRule, Operand
from watchbot_cli.simulation.expression import Expression
from watchbot_cli.simulation.metrics import Datapoint

AT_LEAST, AT_MOST = "GreaterThanOrEqualToThreshold", "LessThanOrEqualToThreshold"


def _rule(
    threshold: float = 1,
    comparison: str = AT_LEAST,
    *,
    periods: int = 1,
    enough: int | None = None,
    missing: str = "missing",
    seconds: float = 60,
    statistic: str = "Maximum",
) -> AlarmRule:
    operands = {"m": Operand("visible", statistic)}
    expression = Expression("m", "A")
    return AlarmRule("A", expression, operands, comparison, threshold, seconds, periods, enough or periods, missing)


def _watch(alarm: Alarm, *visible: int | None) -> float | None:
    """Show the alarm what is visible minute by minute."""
    points = [None if one is None else Datapoint(one, 0, 0, 0, 0) for one in visible]
    return [alarm.observe(point) for point in points][-1]


def test_m_of_n_datapoints_make_an_alarm() -> None:
    alarm = Alarm(_rule(periods=3, enough=2))
    _watch(alarm, 1, 0, 0)
    assert not alarm.in_alarm
    assert _watch(alarm, 1, 0, 5) == 5
    assert alarm.in_alarm


def test_a_longer_period_slides_with_the_clock() -> None:
    alarm = Alarm(_rule(seconds=300))
    _watch(alarm, 7, 0, 0, 0, 0)
    assert alarm.in_alarm
    assert _watch(alarm, 7, 0, 0, 0, 0, 0) == 0
    assert not alarm.in_alarm


def test_an_average_is_over_the_whole_period() -> None:
    assert _watch(Alarm(_rule(seconds=120, statistic="Average")), 0, 3) == 1.5


@pytest.mark.parametrize(
    ("missing", "before", "after"),
    [("notBreaching", False, False), ("breaching", False, True), ("ignore", False, False), ("missing", False, False)],
)
def test_what_is_missing_altogether_counts_as_the_rule_says(missing: str, before: bool, after: bool) -> None:
    alarm = Alarm(_rule(missing=missing))
    alarm.in_alarm = before
    assert _watch(alarm, None, None, None) is None
    assert alarm.in_alarm is after


def test_missing_data_keeps_an_alarm_that_ignores_it() -> None:
    alarm = Alarm(_rule(0, AT_MOST, periods=3, missing="ignore"))
    _watch(alarm, 0, 0, 0)
    assert alarm.in_alarm
    _watch(alarm, 0, 0, 0, None, None, None, None, None)
    assert alarm.in_alarm
    _watch(alarm, 0, 0, 0, None, None, None, None, None, 1)
    assert not alarm.in_alarm


def test_enough_older_datapoints_count_before_missing_ones() -> None:
    alarm = Alarm(_rule(missing="notBreaching"))
    assert _watch(alarm, 4, None, None) == 4
    assert alarm.in_alarm
    _watch(alarm, 4, None, None, None)
    assert not alarm.in_alarm


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=5, max_size=12), st.integers(1, 3), st.data())
def test_an_alarm_needs_as_many_breaching_datapoints_as_its_rule_says(
    visible: list[int | None], periods: int, data: st.DataObject
) -> None:
    enough = data.draw(st.integers(1, periods))
    alarm = Alarm(_rule(periods=periods, enough=enough, missing="notBreaching"))
    value = _watch(alarm, *visible)
    newest = [one for one in reversed(visible[-periods - 2 :]) if one is not None][:periods]
    assert alarm.in_alarm is (sum(one >= 1 for one in newest) >= enough)
    assert value == (newest[0] if newest else None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("visible + hidden", 5),
        ("(visible - 1) * hidden / 2", 1.5),
        ("CEIL(visible / 4) + FLOOR(hidden / 2)", 2),
        ("MAX([visible, hidden])", 3),
        ("SUM([visible, hidden]) + MIN(visible, hidden)", 7),
        ("visible + FILL(gone, 0)", 2),
        ("FILL(visible + gone, 9)", 9),
        ("visible + gone", None),
        ("visible / (hidden - 3)", None),
        ("-visible", -2),
    ],
)
def test_metric_math_is_computed(text: str, value: float | None) -> None:
    values = {"visible": 2.0, "hidden": 3.0, "gone": None}
    assert Expression(text, "A").value(values) == value


@pytest.mark.parametrize("text", ["ANOMALY_DETECTION_BAND(m)", "m +", "m > 1", "__import__('os')", "FILL(m, REPEAT)"])
def test_refuses_metric_math_that_it_does_not_know(text: str) -> None:
    with pytest.raises(UsageError, match="of alarm Out cannot be simulated: only arithmetic"):
        Expression(text, "Out")
