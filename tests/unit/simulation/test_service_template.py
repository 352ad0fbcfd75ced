"""What is simulated is what the template says."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.unit.simulation.settings import CALM
from tests.unit.simulation.templates import container, step_policy, task_definition, watchbot
from watchbot.contract import Isolation
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.simulation.schedule import Schedule
from watchbot_cli.simulation.service_template import find_setting
from watchbot_cli.simulation.setting import MONDAY, PROCESS_WALL_SECONDS, Conditions, Setting, Size
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.step_scaling import EXACT, Step, StepPolicy
from watchbot_cli.simulation.workload import Workload, burst


def _setting(template: dict[str, Any], wanted: str | None = None) -> Setting:
    return find_setting({"Stack": template}, wanted)


def test_limits_steps_alarms_and_size_are_read() -> None:
    setting = _setting(watchbot(WORKERS="8"))
    assert (setting.name, setting.minimum, setting.maximum, setting.workers) == ("Stack/svc", 0, 4, 8)
    assert setting.size == Size(vcpu=0.5, memory_gib=2, arm=True, public_ip=True)
    assert (setting.isolation, setting.protected, setting.spot_share) == (Isolation.PROCESS, True, 0)
    out, into = setting.steps
    assert out.policy == StepPolicy(EXACT, [Step(1, 0, 8), Step(4, 8, math.inf)], 120)
    assert into.policy.cooldown_seconds == 300
    assert (into.alarm.evaluation_periods, into.alarm.datapoints_to_alarm, into.alarm.missing_data) == (3, 3, "ignore")
    assert out.alarm.expression.value({"visible": 2, "hidden": None}) == 2
    assert setting.alarm_metrics == 4
    assert setting.notes == ()


@pytest.mark.parametrize("name", ["Stack/svc", "svc", "Service", None])
def test_a_service_is_named_by_its_id_its_path_or_its_logical_id(name: str | None) -> None:
    assert _setting(watchbot(), name).name == "Stack/svc"


def test_the_steps_of_the_template_decide() -> None:
    few = simulate(_setting(watchbot(WORKERS="8")), burst(8, lambda: 60), CALM)
    many = simulate(_setting(watchbot(WORKERS="8")), burst(9, lambda: 60), CALM)
    assert (few.most_running, many.most_running) == (1, 4)


def test_limits_of_jobs_and_receives_are_read() -> None:
    own = _setting(watchbot(MAX_RECEIVE_COUNT="4", JOB_TIMEOUT_SECONDS="900", BACKOFF_BASE="3"))
    assert (own.max_receives, own.longest_job_seconds, own.backoff.base) == (4, 900, 3)
    assert _setting(watchbot()).longest_job_seconds == PROCESS_WALL_SECONDS
    task = _setting(watchbot(CLUSTER={"Ref": "Cluster"}, TASK_DEFINITION={"Ref": "Definition"}))
    assert task.longest_job_seconds == math.inf
    lasting = watchbot()
    environment = lasting["Resources"]["Definition"]["Properties"]["ContainerDefinitions"][0]["Environment"]
    environment[:] = [one for one in environment if one["Name"] != "WATCHBOT_DEAD_LETTER_QUEUE_URL"]
    assert _setting(lasting).max_receives is None


def test_receives_of_a_service_that_is_no_watchbot_are_those_of_its_only_redrive_policy() -> None:
    template = watchbot()
    template["Outputs"] = {}
    template["Resources"]["Definition"] = task_definition({"Name": "web"})
    assert _setting(template).max_receives is None
    template["Resources"]["Queue"]["Properties"] = {"RedrivePolicy": {"maxReceiveCount": 3}}
    assert _setting(template).max_receives == 3


def test_an_alarm_whose_actions_are_off_calls_no_policy_and_that_is_said() -> None:
    template = watchbot()
    template["Resources"]["OutAlarm"]["Properties"]["ActionsEnabled"] = False
    setting = _setting(template)
    assert [one.alarm.name for one in setting.steps] == ["InAlarm"]
    assert setting.notes == ("alarm OutAlarm has ActionsEnabled false, so it calls no policy",)
    assert simulate(setting, burst(1, lambda: 60), CALM).finished == 0


@pytest.mark.parametrize(
    ("suspended", "started", "desired"),
    [("DynamicScalingOutSuspended", 0, 0), ("DynamicScalingInSuspended", 4, 4), ("ScheduledScalingSuspended", 4, 0)],
)
def test_scaling_that_is_suspended_does_not_happen_and_that_is_said(suspended: str, started: int, desired: int) -> None:
    template = watchbot()
    template["Resources"]["Target"]["Properties"]["SuspendedState"] = {suspended: True, "Other": False}
    template["Resources"]["Target"]["Properties"]["ScheduledActions"] = (
        [_scheduled("Morning", "cron(0 8 * * ? *)", MinCapacity=2)] if suspended.startswith("Scheduled") else []
    )
    setting = _setting(template)
    figures = simulate(setting, burst(20, lambda: 60), CALM)
    assert (figures.tasks_started, figures.timeline[-1].desired) == (started, desired)
    assert setting.notes == (f"Target has {suspended}",)


def test_shares_of_a_deployment_are_read() -> None:
    template = watchbot()
    assert (_setting(template).least_healthy, _setting(template).most_running) == (1, 2)
    template["Resources"]["Service"]["Properties"]["DeploymentConfiguration"] = {
        "MinimumHealthyPercent": 0,
        "MaximumPercent": 100,
    }
    assert (_setting(template).least_healthy, _setting(template).most_running) == (0, 1)


def test_refuses_actions_that_are_on_or_off_only_at_deployment() -> None:
    template = watchbot()
    template["Resources"]["OutAlarm"]["Properties"]["ActionsEnabled"] = {"Ref": "Unknown"}
    assert "the ActionsEnabled of alarm OutAlarm must be true or false before deployment" in _refused(template)


def test_a_service_without_a_scalable_target_keeps_its_number_of_tasks() -> None:
    template = watchbot()
    del template["Resources"]["Target"]
    template["Resources"]["Service"]["Properties"]["DesiredCount"] = 3
    setting = _setting(template)
    assert (setting.minimum, setting.maximum, setting.steps) == (3, 3, ())
    assert simulate(setting, burst(30, lambda: 60), CALM).waits.max == 9 * 60


def test_workers_of_isolation_task_have_a_size_and_a_capacity_of_their_own() -> None:
    template = watchbot(
        CLUSTER={"Ref": "Cluster"},
        TASK_DEFINITION={"Ref": "Worker"},
        TASK_CAPACITY="FARGATE_SPOT=3,FARGATE=1",
        TASK_PUBLIC_IP="true",
        WORKERS="50",
    )
    template["Resources"]["Worker"] = task_definition({"Name": "worker"}, cpu=4096, memory=8192)
    setting = _setting(template)
    assert setting.isolation is Isolation.TASK
    assert setting.worker_size == Size(vcpu=4, memory_gib=8, public_ip=True)
    assert (setting.spot_share, setting.workers, setting.protected) == (0.75, 50, False)


def test_a_strategy_of_the_service_says_how_much_is_spot() -> None:
    template = watchbot()
    template["Resources"]["Service"]["Properties"]["CapacityProviderStrategy"] = [
        {"CapacityProvider": "FARGATE_SPOT", "Weight": 1},
        {"CapacityProvider": "FARGATE", "Weight": 3},
    ]
    assert _setting(template).spot_share == 0.25


def test_tasks_on_instances_cost_nothing_that_is_known() -> None:
    template = watchbot()
    template["Resources"]["Service"]["Properties"]["LaunchType"] = "EC2"
    setting = _setting(template)
    assert setting.size == Size(0, 0, public_ip=False)
    assert "instances" in setting.notes[0]


def test_a_service_that_is_no_watchbot_is_not_protected() -> None:
    template = watchbot()
    template["Outputs"] = {}
    template["Resources"]["Definition"] = task_definition({"Name": "web"})
    setting = _setting(template)
    assert (setting.name, setting.protected, setting.workers) == ("Service", False, 1)


def test_what_cannot_be_simulated_is_said() -> None:
    template = watchbot()
    template["Resources"]["Cpu"] = step_policy("", [])
    template["Resources"]["Cpu"]["Properties"] = {
        "ScalingTargetId": {"Ref": "Target"},
        "TargetTrackingScalingPolicyConfiguration": {
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
        },
    }
    assert _setting(template).notes == ("policy Cpu, which tracks ECSServiceAverageCPUUtilization, is not simulated",)


def test_scheduled_limits_hold_from_when_they_are_due() -> None:
    template = watchbot()
    template["Resources"]["Target"]["Properties"]["ScheduledActions"] = [
        _scheduled("Morning", "cron(30 0 ? * MON-FRI *)", MinCapacity=3),
        _scheduled("Evening", "cron(0 2 * * ? *)", MinCapacity=0),
        _scheduled("Once", "at(2026-01-05T01:00:00)", MaxCapacity={"Ref": "Most"}),
    ]
    setting = _setting(template)
    workload = Workload([0.0, 5 * 3600.0], [60.0, 60.0])
    running = {one.seconds / 60: one.running for one in simulate(setting, workload, CALM).timeline}
    assert [running[minute] for minute in (20, 35, 110, 130)] == [0, 3, 3, 0]
    in_force = simulate(setting, burst(3, lambda: 60), Conditions(start=MONDAY.replace(hour=1)))
    assert in_force.waits.max == 0  # what was due before is in force


def test_a_scheduled_minimum_in_force_keeps_the_queue_awake() -> None:
    def longest_wait(hour: int) -> float | None:
        template = watchbot(WORKERS="8")
        template["Resources"]["Target"]["Properties"]["ScheduledActions"] = [
            _scheduled("Morning", "cron(0 8 * * ? *)", MinCapacity=2),
            _scheduled("Evening", "cron(0 20 * * ? *)", MinCapacity=0),
        ]
        asleep = Conditions(start=MONDAY.replace(hour=hour, minute=30), idle_before_seconds=8 * 3600)
        return simulate(_setting(template), burst(20, lambda: 600), asleep).waits.max

    assert longest_wait(12) == longest_wait(21) == 60 + 45  # in force, or only since an hour no more
    assert longest_wait(6) == 15 * 60 + 60 + 45


def _scheduled(name: str, schedule: str, **limits: Any) -> dict[str, Any]:
    return {"ScheduledActionName": name, "Schedule": schedule, "ScalableTargetAction": limits}


@pytest.mark.parametrize(
    "schedule",
    ["rate(1 day)", "cron(0 8 * * ?)", "cron(0 25 * * ? *)", "cron(0 8 L * ? *)", "at(noon)", "cron(9-3 * * * ? *)"],
)
def test_refuses_a_schedule_that_it_does_not_know(schedule: str) -> None:
    template = watchbot()
    template["Resources"]["Target"]["Properties"]["ScheduledActions"] = [_scheduled("Daily", schedule, MinCapacity=1)]
    assert f"the schedule {schedule!r} of Daily of Target cannot be simulated" in _refused(template)


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("cron(0/15 8-10 * * ? *)", {(8, 0), (8, 45), (10, 30)}),
        ("cron(5,10 * * JAN MON *)", {(0, 5), (23, 10)}),
        ("cron(0 0 ? * SUN *)", set()),
        ("cron(0 0 ? * 2 *)", {(0, 0)}),
        ("at(2026-01-05T12:34:56)", {(12, 34)}),
    ],
)
def test_a_schedule_is_due_as_cron_says(schedule: str, due: set[tuple[int, int]]) -> None:
    read = Schedule.read(schedule, "A")
    found = {
        (hour, minute)
        for hour in range(24)
        for minute in range(60)
        if read.is_due(MONDAY.replace(hour=hour, minute=minute))
    }
    assert due <= found
    assert bool(due) == bool(found)


def test_a_fifo_queue_is_known_by_what_the_watcher_reads_from() -> None:
    template = watchbot()
    template["Resources"]["Other"] = {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}}
    assert not _setting(template).fifo
    template["Resources"]["Queue"]["Properties"] = {"FifoQueue": True}
    assert _setting(template).fifo


def test_target_tracking_is_read() -> None:
    template = watchbot()
    metric = {"MetricName": "ApproximateNumberOfMessagesVisible", "Namespace": "AWS/SQS", "Statistic": "Average"}
    template["Resources"]["Out"] = {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "ScalingTargetId": {"Ref": "Target"},
            "TargetTrackingScalingPolicyConfiguration": {
                "CustomizedMetricSpecification": metric,
                "TargetValue": 5,
                "ScaleInCooldown": 60,
                "DisableScaleIn": True,
            },
        },
    }
    (policy,) = _setting(template).tracking
    assert (policy.target, policy.out_cooldown_seconds, policy.in_cooldown_seconds) == (5, 300, 60)
    assert policy.scale_in is False


def _refused(template: dict[str, Any], wanted: str | None = None) -> str:
    with pytest.raises(CommandError) as refusal:
        _setting(template, wanted)
    assert refusal.value.exit_code == UsageError.exit_code
    return str(refusal.value)


def test_refuses_a_service_that_is_not_there() -> None:
    assert _refused(watchbot(), "other") == "--service 'other' is not in the template, which holds Stack/svc"


def test_refuses_to_choose_among_several() -> None:
    template = watchbot()
    template["Resources"]["Second"] = template["Resources"]["Service"]
    assert _refused(template) == "several services, say with --service which of Stack/svc, Second"


def test_refuses_a_template_without_a_service() -> None:
    assert _refused({"Resources": {}}) == "the template holds no ECS service"


def test_says_where_the_services_of_a_nested_stack_are() -> None:
    nested = {"Resources": {"Nest": {"Type": "AWS::CloudFormation::Stack"}}}
    assert _refused(nested).endswith(": those of nested stacks are in templates of their own, for --template")


@pytest.mark.parametrize(
    ("part", "value"),
    [("MinCapacity", 9), ("MaxCapacity", "nan"), ("ScheduledActions", {"Fn::If": ["Prod", [], []]})],
)
def test_refuses_a_part_that_it_cannot_read(part: str, value: Any) -> None:
    template = watchbot()
    template["Resources"]["Target"]["Properties"][part] = value
    assert _refused(template).startswith("part of the template is not as cdk synth writes it: ")


def test_refuses_a_limit_known_only_at_deployment() -> None:
    template = watchbot()
    template["Resources"]["Target"]["Properties"]["MaxCapacity"] = {"Ref": "Unknown"}
    assert "the MaxCapacity of Target must be known before deployment" in _refused(template)


def test_refuses_a_metric_that_it_does_not_simulate() -> None:
    template = watchbot()
    query = template["Resources"]["OutAlarm"]["Properties"]["Metrics"][1]
    query["MetricStat"]["Metric"]["MetricName"] = "ApproximateAgeOfOldestMessage"
    assert "OutAlarm looks at ApproximateAgeOfOldestMessage, which cannot be simulated" in _refused(template)


def test_refuses_a_period_of_less_than_a_minute() -> None:
    template = watchbot()
    template["Resources"]["OutAlarm"]["Properties"]["Metrics"][1]["MetricStat"]["Period"] = 10
    assert "the period of OutAlarm must be whole minutes" in _refused(template)


def test_refuses_a_setting_that_the_watcher_would_refuse() -> None:
    template = watchbot(WORKERS="many")
    assert "the watcher of Stack/svc cannot be simulated: WATCHBOT_WORKERS must be a whole number" in _refused(template)


def test_the_number_of_workers_may_be_a_parameter_with_a_default() -> None:
    template = watchbot()
    template["Resources"]["Definition"] = task_definition(
        container(QUEUE_URL={"Ref": "Queue"}, CONTRACT_VERSION="1", WORKERS={"Ref": "Most"})
    )
    assert _setting(template).workers == 4
