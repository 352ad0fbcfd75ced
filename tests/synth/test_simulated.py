"""What is simulated is what is synthesised."""

from __future__ import annotations

import dataclasses
import datetime

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_scheduler as scheduler

from tests.synth.template import Template, image
from watchbot_cdk import Isolation, Scaling, ScheduledMinimum, Watchbot
from watchbot_cli.described import find_described
from watchbot_cli.errors import UsageError
from watchbot_cli.simulation.peers import queue_processing_service, watchbot_ladder
from watchbot_cli.simulation.resizing import resized
from watchbot_cli.simulation.service_template import find_setting
from watchbot_cli.simulation.setting import MONDAY, Conditions, Setting
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import burst


def test_every_service_can_be_simulated(reviewed: tuple[App, dict[str, Template]]) -> None:
    _, templates = reviewed
    for stack, template in templates.items():
        for one in find_described({stack: template.whole}):
            setting = find_setting({stack: template.whole}, one.name)
            assert setting.isolation is one.description.isolation
            assert simulate(setting, burst(3, lambda: 60), Conditions()).finished == 3, one.name
            assert setting.alarm_metrics > 0


def test_the_ladder_that_is_compared_is_the_one_that_is_synthesised(scaled: Setting) -> None:
    peer = watchbot_ladder(Setting(name="svc", minimum=2, maximum=100, workers=4))
    assert (scaled.minimum, scaled.maximum, scaled.workers, scaled.protected) == (2, 100, 4, True)
    assert [one.policy for one in scaled.steps] == [one.policy for one in peer.steps]
    for mine, theirs in zip(scaled.steps, peer.steps, strict=True):
        for field in ("threshold", "comparison", "period_seconds", "evaluation_periods", "missing_data"):
            assert getattr(mine.alarm, field) == getattr(theirs.alarm, field)
    workload = burst(1000, lambda: 60)
    synthesised, written = (simulate(one, workload, Conditions()) for one in (scaled, peer))
    assert (synthesised.waits, synthesised.timeline) == (written.waits, written.timeline)


def test_other_limits_are_simulated_as_they_would_be_synthesised(scaled: Setting) -> None:
    again = _synthesised(Scaling(max=300), workers=2)
    other = resized(dataclasses.replace(scaled, minimum=0, maximum=300, workers=2), scaled)
    assert [one.policy for one in other.steps] == [one.policy for one in again.steps]
    assert resized(scaled, scaled) is scaled


def test_a_service_goes_down_to_a_scheduled_minimum_below_its_own() -> None:
    schedule = scheduler.ScheduleExpression.cron(minute="10", hour="0")
    nightly = _synthesised(Scaling(min=2, max=20, scheduled=[ScheduledMinimum(schedule=schedule, min=0)]), workers=1)
    start = MONDAY.replace(hour=23, minute=59) - datetime.timedelta(days=1)
    figures = simulate(nightly, burst(1, lambda: 60), Conditions(start=start))
    assert figures.timeline[-1].desired == 0
    assert resized(dataclasses.replace(nightly, maximum=30), nightly).steps[1].policy.capacity(2, 0) == 0


def test_refuses_other_limits_for_steps_that_nobody_here_knows(scaled: Setting) -> None:
    patient = _synthesised(
        Scaling(max=9, latency_target=Duration.minutes(10), job_duration=Duration.minutes(1)), workers=1
    )
    with pytest.raises(UsageError, match="cannot be applied to Scaled/svc"):
        resized(dataclasses.replace(patient, maximum=20), patient)


@pytest.fixture(scope="module")
def scaled() -> Setting:
    """Give a Watchbot that scales, as its template says it."""
    return _synthesised(Scaling(min=2, max=100), workers=4)


def _synthesised(scaling: Scaling, workers: int) -> Setting:
    app = App()
    stack = Stack(app, "Scaled")
    Watchbot(
        stack,
        "svc",
        image=image(),
        isolation=Isolation.PROCESS,
        command=["work"],
        workers=workers,
        watchers=scaling,
    )
    return find_setting({"Scaled": app.synth().get_stack_by_name("Scaled").template}, "svc")


@pytest.fixture(scope="module")
def queue_processing() -> Setting:
    """Give CDK's own pattern as its template says it, with a maximum of 100."""
    app = App()
    stack = Stack(app, "Peer")
    patterns.QueueProcessingFargateService(stack, "svc", image=image(), max_scaling_capacity=100)
    return find_setting({"Peer": app.synth().get_stack_by_name("Peer").template}, None)


def test_the_peer_of_cdk_is_cdks_own_pattern(queue_processing: Setting) -> None:
    peer = queue_processing_service(Setting(name="svc", minimum=0, maximum=100))
    workload = burst(1000, lambda: 60)
    synthesised, written = (simulate(one, workload, Conditions()) for one in (queue_processing, peer))
    assert (synthesised.waits, synthesised.service, synthesised.timeline) == (
        written.waits,
        written.service,
        written.timeline,
    )
    assert queue_processing.notes[0].endswith("which tracks ECSServiceAverageCPUUtilization, is not simulated")
