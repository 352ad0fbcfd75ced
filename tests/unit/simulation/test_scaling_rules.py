"""Application Auto Scaling: steps, cooldowns, limits, launches."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbot_cli.simulation.alarm import Operand
from watchbot_cli.simulation.expression import Expression
from watchbot_cli.simulation.ladder import ladder
from watchbot_cli.simulation.launch_budget import LaunchBudget, ServiceRate
from watchbot_cli.simulation.metrics import Datapoint
from watchbot_cli.simulation.scalable_target import ScalableTarget
from watchbot_cli.simulation.step_scaling import CHANGE, EXACT, PERCENT, Step, StepPolicy
from watchbot_cli.simulation.target_tracking import Tracking, TrackingPolicy


def _ask(target: ScalableTarget, now: float, wanted: int, *, before: int = 0, deploying: bool = False) -> bool:
    return target.ask(now, wanted, 300, before=before, deploying=deploying)


@given(st.integers(1, 5000), st.integers(1, 64), st.integers(1, 400_000), st.integers(0, 50))
def test_a_ladder_gives_no_fewer_tasks_than_the_backlog_needs(
    maximum: int, workers: int, outstanding: int, minimum: int
) -> None:
    minimum = min(minimum, maximum)
    policy = StepPolicy(EXACT, ladder(minimum, maximum, workers))
    assert len(policy.steps) <= 20
    capacity = policy.capacity(0, outstanding - 1)
    assert capacity is not None
    need = min(maximum, math.ceil(outstanding / workers))
    assert need <= capacity <= maximum
    assert capacity <= max(minimum, 1, 1.6 * need, need + 1)


@given(st.floats(-50, 1000, allow_nan=False), st.lists(st.integers(-40, 900), min_size=1, max_size=6, unique=True))
def test_exactly_one_step_is_for_a_breach_within_the_bounds(breach: float, bounds: list[int]) -> None:
    edges = [-math.inf, *sorted(bounds), math.inf]
    steps = [Step(number, *pair) for number, pair in enumerate(itertools.pairwise(edges))]
    above = breach >= 0
    chosen = [one for one in steps if one.holds(breach)]
    assert chosen
    inside = [one for one in steps if one.lower < breach < one.upper]
    if inside:
        assert chosen == inside
    elif above and breach > 0:
        assert chosen[-1].lower == breach or chosen[0].upper == breach


@pytest.mark.parametrize(
    ("breach", "tasks"), [(0, 1), (399, 1), (400, 5), (10_000, 5)], ids=["threshold", "below", "at", "far above"]
)
def test_a_step_holds_its_lower_bound_and_not_its_upper(breach: float, tasks: int) -> None:
    assert StepPolicy(CHANGE, [Step(1, 0, 400), Step(5, 400)]).capacity(0, breach) == tasks


def test_below_the_threshold_a_step_holds_its_upper_bound() -> None:
    policy = StepPolicy(CHANGE, [Step(-1, upper=0)])
    assert policy.capacity(7, 0) == 6
    assert policy.capacity(7, -3) == 6
    assert policy.capacity(7, 1) is None


@pytest.mark.parametrize(
    ("running", "percent", "capacity"), [(10, 50, 15), (3, 50, 4), (1, 50, 2), (10, -100, 0), (3, -50, 2), (1, -10, 0)]
)
def test_a_share_is_rounded_towards_zero_but_never_to_nothing(running: int, percent: float, capacity: int) -> None:
    assert StepPolicy(PERCENT, [Step(percent)]).capacity(running, 0) == capacity


def test_a_share_has_a_least_magnitude() -> None:
    assert StepPolicy(PERCENT, [Step(10)], min_magnitude=5).capacity(10, 0) == 15


def test_a_larger_scale_out_passes_during_a_cooldown_and_scale_in_does_not() -> None:
    target = ScalableTarget(0, 100)
    assert _ask(target, 0, 10)
    assert _ask(target, 60, 20)
    assert not _ask(target, 120, 10)
    assert not _ask(target, 359, 10)
    assert _ask(target, 360, 10)


def test_the_cooldown_of_a_scale_out_is_counted_from_when_its_tasks_run() -> None:
    target = ScalableTarget(0, 100)
    assert _ask(target, 0, 10)
    target.complete(0, 45)
    assert not _ask(target, 300, 5)
    assert _ask(target, 345, 5)
    target.complete(345, 900)
    assert _ask(target, 645, 1)  # that of a scale-in is counted from its order


def test_a_scale_out_ends_the_cooldown_of_a_scale_in() -> None:
    target = ScalableTarget(0, 100)
    _ask(target, 0, 50)
    assert _ask(target, 300, 10)
    assert not _ask(target, 330, 5)
    assert _ask(target, 360, 60)


def test_what_a_scale_out_has_added_counts_as_part_of_the_next_during_its_cooldown() -> None:
    target = ScalableTarget(1, 100)
    policy = StepPolicy(CHANGE, [Step(2)])
    wanted = policy.capacity(target.base(0, 1), 0)
    assert wanted == 3
    assert _ask(target, 0, wanted, before=1)
    assert target.base(60, 3) == 1
    assert not _ask(target, 60, StepPolicy(CHANGE, [Step(2)]).capacity(target.base(60, 3), 0) or 0, before=1)
    assert target.base(300, 3) == 3


@given(st.integers(0, 20), st.integers(20, 60), st.lists(st.tuples(st.integers(0, 900), st.integers(-99, 999))))
def test_the_limits_are_never_left(minimum: int, maximum: int, asked: list[tuple[int, int]]) -> None:
    target, now = ScalableTarget(minimum, maximum), 0.0
    for wait, wanted in asked:
        now += wait
        _ask(target, now, wanted)
        assert minimum <= target.desired <= maximum


def test_there_is_no_scale_in_during_a_deployment() -> None:
    target = ScalableTarget(0, 100)
    _ask(target, 0, 10)
    assert not _ask(target, 600, 1, deploying=True)
    assert _ask(target, 600, 11, deploying=True)
    assert _ask(target, 1200, 1)


def test_target_tracking_adds_after_three_minutes_and_takes_away_after_fifteen() -> None:
    expression = Expression("visible", "T")
    tracking = Tracking(TrackingPolicy(expression, {"visible": Operand("visible", "Average")}, 2.0))
    minutes = [2] * 20 + [6] * 3 + [2] * 3 + [1] * 15
    decisions = [tracking.observe(Datapoint(visible, 0, 0, 1, 1), 4) for visible in minutes]
    assert decisions == [None] * 22 + [12] + [None] * 17 + [2]


def test_launches_are_a_burst_and_then_a_rate() -> None:
    budget = LaunchBudget.of_fargate()
    times = [budget.take(0) for _ in range(140)]
    assert times[:100] == [0] * 100
    assert times[-1] == pytest.approx(2)
    assert budget.take(60) == 60


def test_a_service_launches_500_tasks_in_any_minute() -> None:
    rate = ServiceRate()
    times = [rate.take(at) for at in (0.0, *[30.0] * 499, 31.0, *[40.0] * 500)]
    assert times[:500] == [0, *[30] * 499]
    assert (times[500], times[501], times[1000]) == (60, 90, 120)
