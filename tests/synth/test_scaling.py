"""What Scaling puts into a template, and how many watchers that gives for every backlog."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack, TimeZone
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk.assertions import Annotations, Match
from hypothesis import given
from hypothesis import strategies as st

from tests.synth.cloudwatch import Points, evaluate
from tests.synth.template import Template, cluster_with_instances, image, placeholders, synth, synth_watchbot
from watchbot_cdk import (
    Alarms,
    AtMaxCapacityAlarm,
    Capacity,
    Isolation,
    QueueSizeAlarm,
    Scaling,
    ScheduledMinimum,
    Watchbot,
    WatchbotArgumentError,
)
from watchbot_cdk.ladder import MOST_STEPS, Step, backlog_of, steps

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["work"]}
MORNING = scheduler.ScheduleExpression.cron(minute="0", hour="8", week_day="MON-FRI", time_zone=TimeZone.EUROPE_BERLIN)
FIVE_FIELDS = scheduler.ScheduleExpression.expression("cron(0 8 * * *)")
LAUNCH = scheduler.ScheduleExpression.expression("at(2030-01-01T09:00:00)", TimeZone.ETC_UTC)

SERVICES: dict[str, dict[str, Any]] = {
    "Idle": {"watchers": Scaling(max=10)},
    "Busy": {**PROCESS, "watchers": Scaling(min=2, max=100), "workers": 4},
    "Patient": {
        **PROCESS,
        "watchers": Scaling(max=50, latency_target=Duration.minutes(10), job_duration=Duration.minutes(1)),
        "workers": 2,
    },
    "Timed": {
        **PROCESS,
        "watchers": Scaling(
            max=20, scheduled=[ScheduledMinimum(schedule=MORNING, min=5), ScheduledMinimum(schedule=LAUNCH, min=20)]
        ),
    },
    "Nightly": {**PROCESS, "watchers": Scaling(min=2, max=20, scheduled=[ScheduledMinimum(schedule=MORNING, min=0)])},
    "Huge": {"watchers": Scaling(max=5000), "alarms": Alarms(queue_size=QueueSizeAlarm(threshold=7))},
}


def _cluster(stack: Stack) -> ecs.ICluster:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["a", "b"],
        private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    )
    return cluster_with_instances(stack, vpc)


def _build(stack: Stack) -> None:
    cluster = _cluster(stack)
    for name, arguments in SERVICES.items():
        Watchbot(stack, name, image=image(), cluster=cluster, **arguments)
    Watchbot(stack, "Machines", image=image(), cluster=cluster, capacity=Capacity.ec2(), watchers=Scaling(max=3))
    least, most, workers = (
        CfnParameter(stack, f"{name}Number", type="Number").value_as_number for name in ("Least", "Most", "Workers")
    )
    Watchbot(stack, "Unknown", image=image(), cluster=cluster, watchers=Scaling(min=least, max=most), workers=workers)


@pytest.fixture(scope="module")
def template() -> Template:
    return synth(_build)


def _target(template: Template, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = template.one("AWS::ApplicationAutoScaling::ScalableTarget", name)
    return found


def _policy(template: Template, name: str) -> Mapping[str, Any]:
    policy = template.one("AWS::ApplicationAutoScaling::ScalingPolicy", name)
    found: Mapping[str, Any] = policy["StepScalingPolicyConfiguration"]
    return found


def _adjustment(policy: Mapping[str, Any], beyond: float) -> Any:
    """Choose as Application Auto Scaling does: by how far the metric is beyond the threshold."""
    (chosen,) = [
        step["ScalingAdjustment"]
        for step in policy["StepAdjustments"]
        if step.get("MetricIntervalLowerBound", float("-inf")) <= beyond < step.get("MetricIntervalUpperBound", 1e9)
    ]
    return chosen


def _watchers(template: Template, name: str, visible: int, hidden: int) -> Any:
    """Give the number of watchers that this many messages are answered with; None when it is left as it is."""
    alarm = template.one("AWS::CloudWatch::Alarm", f"{name}MonitorsScaleOutAlarm")
    (value,) = evaluate(alarm["Metrics"][0]["Expression"], {"visible": [visible], "hidden": [hidden or None]})
    assert value is not None
    beyond = value - alarm["Threshold"]
    return _adjustment(_policy(template, f"{name}MonitorsScaleOutPolicy"), beyond) if beyond >= 0 else None


def test_one_message_starts_one_task(template: Template) -> None:
    assert _watchers(template, "Idle", 1, 0) == _watchers(template, "Idle", 0, 1) == 1


def test_an_empty_queue_starts_nothing_and_ends_everything(template: Template) -> None:
    assert _watchers(template, "Idle", 0, 0) is None
    assert _target(template, "Idle")["MinCapacity"] == 0
    (step,) = _policy(template, "IdleMonitorsScaleInPolicy")["StepAdjustments"]
    assert step == {"MetricIntervalUpperBound": 0, "ScalingAdjustment": 0}
    assert _policy(template, "BusyMonitorsScaleInPolicy")["StepAdjustments"][0]["ScalingAdjustment"] == 2


@pytest.mark.parametrize(
    ("name", "least", "most", "each"), [("Idle", 0, 10, 1), ("Busy", 2, 100, 4), ("Patient", 0, 50, 20)]
)
def test_every_backlog_gets_the_watchers_it_needs_and_never_more_than_there_may_be(
    template: Template, name: str, least: int, most: int, each: int
) -> None:
    for outstanding in range(1, 3 * most * each + 1):
        watchers = _watchers(template, name, outstanding - outstanding // 3, outstanding // 3)
        needed = -(-outstanding // each)
        assert max(min(needed, most), least) <= watchers <= min(max(needed * 1.5, least), most), outstanding


def _of(ladder: list[Step], outstanding: int) -> float:
    (watchers,) = [
        one.watchers for one in ladder if one.lower <= outstanding and (one.upper is None or outstanding < one.upper)
    ]
    return watchers


@given(st.integers(1, 5000), st.integers(0, 5000), st.integers(1, 1000), st.integers(1, 15_000_000))
def test_any_ladder_has_few_steps_and_enough_watchers(most: int, least: int, each: int, outstanding: int) -> None:
    scaling = Scaling(min=min(least, most), max=most)
    ladder = list(steps(scaling, each))
    needed = min(-(-outstanding // each), most)
    assert len(ladder) <= MOST_STEPS
    assert needed <= _of(ladder, outstanding) <= most
    assert _of(ladder, 1) == max(1, scaling.min)
    assert _of(ladder, 3 * most * each) == most
    assert all(one.watchers < other.watchers for one, other in itertools.pairwise(ladder))


def test_jobs_may_be_shorter_than_a_second() -> None:
    scaling = Scaling(max=50, latency_target=Duration.minutes(1), job_duration=Duration.millis(100))
    assert tuple(scaling.problems()) == ()
    assert backlog_of(scaling, 4).each == 2400


def test_a_backlog_is_counted_in_whole_jobs_without_rounding() -> None:
    scaling = Scaling(max=50, latency_target=Duration.seconds(15), job_duration=Duration.seconds(11))
    assert backlog_of(scaling, 11).each == 15


def test_more_messages_are_answered_within_a_minute_and_an_empty_queue_after_three(template: Template) -> None:
    out = template.one("AWS::CloudWatch::Alarm", "IdleMonitorsScaleOutAlarm")
    into = template.one("AWS::CloudWatch::Alarm", "IdleMonitorsScaleInAlarm")
    assert _condition(out) == ("GreaterThanOrEqualToThreshold", 1, 1, 1, "notBreaching")
    assert _condition(into) == ("LessThanOrEqualToThreshold", 0, 3, 3, "ignore")
    assert out["Metrics"] == into["Metrics"]
    assert {(one["MetricStat"]["Period"], one["MetricStat"]["Stat"]) for one in out["Metrics"][1:]} == {(60, "Maximum")}


def _condition(alarm: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("ComparisonOperator", "Threshold", "EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData")
    return tuple(alarm[name] for name in names)


def test_a_minute_that_is_not_reported_yet_is_no_empty_queue(template: Template) -> None:
    expression = template.one("AWS::CloudWatch::Alarm", "IdleMonitorsScaleInAlarm")["Metrics"][0]["Expression"]
    assert evaluate(expression, {"visible": [3, None], "hidden": [None, None]}) == [3, None]


@pytest.mark.parametrize("direction", ["In", "Out"])
def test_each_direction_has_a_policy_and_an_alarm_that_tells_nobody(template: Template, direction: str) -> None:
    policy = _policy(template, f"IdleMonitorsScale{direction}Policy")
    assert (policy["AdjustmentType"], policy["Cooldown"]) == ("ExactCapacity", 300)
    assert policy["MetricAggregationType"] == "Maximum"
    (action,) = template.one("AWS::CloudWatch::Alarm", f"IdleMonitorsScale{direction}Alarm")["AlarmActions"]
    assert action["Ref"].startswith(f"IdleMonitorsScale{direction}Policy")


def test_a_deployment_leaves_the_number_of_watchers_as_it_is(template: Template) -> None:
    services = template.of_type("AWS::ECS::Service")
    assert len(services) == len(SERVICES) + 2
    assert not [name for name, service in services.items() if "DesiredCount" in service]


def test_the_service_of_watchers_is_what_scales(template: Template) -> None:
    target = _target(template, "Idle")
    assert placeholders(target["ResourceId"]).startswith("service/mine/<IdleService")
    assert (target["ServiceNamespace"], target["ScalableDimension"]) == ("ecs", "ecs:service:DesiredCount")
    assert target["MaxCapacity"] == 10
    assert "RoleARN" not in target
    assert placeholders(_target(template, "Machines")["ResourceId"]).startswith("service/mine/<MachinesService")


def test_no_function_is_in_a_template(template: Template) -> None:
    kinds = {resource["Type"] for resource in template.resources.values()}
    assert not [kind for kind in kinds if kind.startswith(("AWS::Lambda::", "Custom::", "AWS::CloudFormation::Custom"))]


def test_numbers_known_only_at_deployment_scale_without_a_function_of_ours(template: Template) -> None:
    target = _target(template, "Unknown")
    assert (target["MinCapacity"], target["MaxCapacity"]) == ({"Ref": "LeastNumber"}, {"Ref": "MostNumber"})
    (step,) = _policy(template, "UnknownMonitorsScaleInPolicy")["StepAdjustments"]
    assert step["ScalingAdjustment"] == {"Ref": "LeastNumber"}
    ladder = _policy(template, "UnknownMonitorsScaleOutPolicy")
    needed = [_adjustment(ladder, number - 1) for number in range(1, 5001)]
    assert (needed[0], needed[-1]) == (1, 5000)
    assert all(number <= watchers <= 1.6 * number for number, watchers in enumerate(needed, 1))
    expression = template.one("AWS::CloudWatch::Alarm", "UnknownMonitorsScaleOutAlarm")["Metrics"][0]["Expression"]
    assert placeholders(expression) == "CEIL((visible + FILL(hidden, 0)) / (<{'Ref': 'WorkersNumber'}> * 1))"


def test_watchers_are_told_how_many_may_share_what_the_account_is_allowed() -> None:
    template = synth_watchbot(watchers=Scaling(max=40))
    assert template.environment("watcher")["WATCHBOT_WATCHERS"] == "40"


def test_other_minima_at_certain_times_are_actions_of_the_target(template: Template) -> None:
    first, second = _target(template, "Timed")["ScheduledActions"]
    assert (first["Schedule"], first["Timezone"]) == ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin")
    assert first["ScalableTargetAction"] == {"MinCapacity": 5}
    assert (second["Schedule"], second["Timezone"]) == ("at(2030-01-01T09:00:00)", "Etc/UTC")
    assert first["ScheduledActionName"] != second["ScheduledActionName"]


def test_a_scheduled_minimum_below_min_lets_the_service_go_down_to_it(template: Template) -> None:
    assert _target(template, "Nightly")["MinCapacity"] == 2
    assert _policy(template, "NightlyMonitorsScaleInPolicy")["StepAdjustments"][0]["ScalingAdjustment"] == 0
    assert _watchers(template, "Nightly", 1, 0) == 1
    assert _policy(template, "TimedMonitorsScaleInPolicy")["StepAdjustments"][0]["ScalingAdjustment"] == 0


def test_a_backlog_for_which_max_is_too_few_for_half_an_hour_is_told(template: Template) -> None:
    alarm = template.one("AWS::CloudWatch::Alarm", "PatientMonitorsAtMaxCapacityAlarm")
    assert _condition(alarm) == ("GreaterThanThreshold", 50, 6, 6, "notBreaching")
    queries = alarm["Metrics"]
    assert {(one["MetricStat"]["Period"], one["MetricStat"]["Stat"]) for one in queries[1:]} == {(300, "Average")}
    series: dict[str, Points] = {"visible": [900, 901, None], "hidden": [100, 100, 500]}
    assert evaluate(queries[0]["Expression"], series) == [50, 50.05, None]
    unknown = template.one("AWS::CloudWatch::Alarm", "UnknownMonitorsAtMaxCapacityAlarm")
    assert unknown["Threshold"] == {"Ref": "MostNumber"}


def test_with_scaling_only_a_backlog_that_max_is_too_few_for_is_news_unless_asked_for(template: Template) -> None:
    alarms = template.of_type("AWS::CloudWatch::Alarm")
    of_size = {name: alarm["Threshold"] for name, alarm in alarms.items() if "QueueSize" in name}
    assert list(of_size.values()) == [7]
    assert next(iter(of_size)).startswith("Huge")


def test_the_dashboard_shows_the_most_watchers_there_may_be(template: Template) -> None:
    assert '"value": 50' in _dashboard(template, "Patient")
    assert '"annotations"' not in _dashboard(template, "Unknown")


def _dashboard(template: Template, name: str) -> str:
    return placeholders(template.one("AWS::CloudWatch::Dashboard", name)["DashboardBody"])


def test_the_alarm_of_max_is_tuned_and_switched_off_as_others_are() -> None:
    def build(stack: Stack) -> None:
        cluster = _cluster(stack)
        for name, alarm in (("Slow", AtMaxCapacityAlarm(periods=12)), ("Off", None)):
            Watchbot(
                stack,
                name,
                image=image(),
                cluster=cluster,
                watchers=Scaling(max=2),
                alarms=Alarms(at_max_capacity=alarm),
            )

    found = synth(build).of_type("AWS::CloudWatch::Alarm")
    assert [alarm["EvaluationPeriods"] for name, alarm in found.items() if "AtMaxCapacity" in name] == [12]


@pytest.mark.parametrize(
    ("scaling", "problem"),
    [
        (Scaling(max=0), "watchers max must be a whole number from 1 to 5000, got 0"),
        (Scaling(max=5001), "watchers max must be a whole number from 1 to 5000, got 5001"),
        (Scaling(min=-1, max=1), "watchers min must be a whole number from 0 to 5000, got -1"),
        (Scaling(min=1.5, max=2), "watchers min must be a whole number from 0 to 5000, got 1.5"),
        (Scaling(min=3, max=2), "watchers min must be at most max, which is 2, got 3"),
        (
            Scaling(max=2, scheduled=[ScheduledMinimum(schedule=MORNING, min=3)]),
            "watchers scheduled min must be at most max, which is 2, got 3",
        ),
        (
            Scaling(
                max=2,
                scheduled=[ScheduledMinimum(schedule=scheduler.ScheduleExpression.rate(Duration.hours(1)), min=1)],
            ),
            "watchers scheduled schedule must be cron with six fields, or at, got rate(1 hour), which sets the same "
            "minimum again and again",
        ),
        (
            Scaling(
                max=2,
                scheduled=[ScheduledMinimum(schedule=FIVE_FIELDS, min=1)],
            ),
            "watchers scheduled schedule must be cron with six fields, or at, got cron(0 8 * * *)",
        ),
        (
            Scaling(max=2, scheduled=["08:00"]),  # type: ignore[list-item] # wrong on purpose
            "watchers scheduled must be a list of ScheduledMinimum, got ['08:00']",
        ),
        (
            Scaling(max=2, scheduled=[ScheduledMinimum(schedule="cron(0 8 * * ? *)", min=1)]),  # type: ignore[arg-type] # wrong on purpose
            "watchers scheduled schedule must be a ScheduleExpression, got 'cron(0 8 * * ? *)'",
        ),
        (
            Scaling(max=2, latency_target=Duration.minutes(1)),
            "watchers latency_target and job_duration go together, got one of them",
        ),
        (
            Scaling(max=2, latency_target=Duration.seconds(30), job_duration=Duration.minutes(1)),
            "watchers latency_target (30 s) must be at least job_duration (60 s): "
            "no job ends sooner, however many watchers there are",
        ),
        (
            Scaling(max=2, latency_target=Duration.seconds(30), job_duration=Duration.millis(0)),
            "watchers job_duration must be 0.001 to 1209600 seconds, got 0",
        ),
        (
            Scaling(max=2, latency_target=30, job_duration=Duration.minutes(1)),  # type: ignore[arg-type] # wrong on purpose
            "watchers latency_target must be a Duration or None, got 30",
        ),
    ],
)
def test_refuses_what_no_service_can_scale_to(scaling: Scaling, problem: str) -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        synth_watchbot(watchers=scaling)
    assert caught.value.problems == (problem,)


def test_refuses_the_text_of_a_parameter_as_a_number() -> None:
    text = CfnParameter(Stack(App(), "Demo"), "Most").value_as_string
    (problem,) = Scaling(max=text).problems()  # type: ignore[arg-type] # wrong on purpose
    assert problem.startswith("watchers max must be a whole number from 1 to 5000, got '${Token[")


@pytest.mark.parametrize(("minutes", "told"), [(150, False), (151, True)])
def test_jobs_that_outlast_an_update_of_the_stack_are_warned_of(minutes: int, told: bool) -> None:
    stack = Stack(App(), "Demo")
    limit = Duration.minutes(minutes)
    Watchbot(stack, "svc", image=image(), cluster=_cluster(stack), job_timeout=limit, **PROCESS)
    Watchbot(stack, "task", image=image(), cluster=stack.node.find_child("Mine"), job_timeout=limit)  # type: ignore[arg-type] # it is the cluster
    found = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("fails it after 3 hours"))
    assert len(found) == told
