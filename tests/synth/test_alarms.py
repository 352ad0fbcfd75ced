"""Each alarm as its template has it: condition, action, what it says; and how they are tuned, switched off and used."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, NestedStack, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from tests.synth.template import Template, image, placeholders, synth, synth_watchbot
from watchbot.contract import Isolation, Metric
from watchbot_cdk import (
    Alarms,
    CpuUtilizationAlarm,
    DeadLetterAlarm,
    DwellTimeAlarm,
    FailedWorkerPlacementAlarm,
    MemoryUtilizationAlarm,
    MoreDeadLettersAlarm,
    QueueSizeAlarm,
    StalledAlarm,
    Watchbot,
    WatchbotArgumentError,
    WorkerErrorRateAlarm,
    WorkerErrorsAlarm,
)

DEFAULT = {
    "DeadLetter",
    "MoreDeadLetters",
    "QueueSize",
    "WorkerErrors",
    "WorkerErrorRate",
    "FailedWorkerPlacement",
    "Stalled",
    "DwellTime",
}
ALL = {*DEFAULT, "CpuUtilization", "MemoryUtilization"}


def alarms_of(template: Template) -> dict[str, dict[str, Any]]:
    """Give the alarms of svc by the names that a Watchbot has for them."""
    found = template.of_type("AWS::CloudWatch::Alarm")
    return {name[:-8].removeprefix("svcMonitors").removesuffix("Alarm"): alarm for name, alarm in found.items()}


@pytest.fixture(scope="module")
def template() -> Template:
    return synth_watchbot(
        alarms=Alarms(cpu_utilization=CpuUtilizationAlarm(), memory_utilization=MemoryUtilizationAlarm())
    )


@pytest.fixture(scope="module")
def alarms(template: Template) -> dict[str, dict[str, Any]]:
    return alarms_of(template)


def test_all_but_cpu_and_memory_are_on_by_default() -> None:
    assert set(alarms_of(synth_watchbot())) == DEFAULT


@pytest.mark.parametrize(
    ("name", "metric", "statistic", "period", "periods", "condition"),
    [
        ("DeadLetter", "ApproximateNumberOfMessagesVisible", "Maximum", 60, 1, ">= 1"),
        ("QueueSize", "ApproximateNumberOfMessagesVisible", "Average", 300, 24, "> 40"),
        ("WorkerErrors", "WorkerErrors", "Sum", 60, 1, "> 10"),
        ("FailedWorkerPlacement", "UnplacedWorkers", "Maximum", 60, 10, "> 0"),
        ("DwellTime", "ResponseDuration", "p99", 300, 3, "> 3600000"),
        ("CpuUtilization", "CPUUtilization", "Average", 60, 10, "> 90"),
        ("MemoryUtilization", "MemoryUtilization", "Average", 60, 10, "> 90"),
    ],
)
def test_an_alarm_of_one_metric_goes_off_when_its_page_says_so(
    alarms: dict[str, dict[str, Any]],
    name: str,
    metric: str,
    statistic: str,
    period: int,
    periods: int,
    condition: str,
) -> None:
    alarm = alarms[name]
    assert alarm["MetricName"] == metric
    assert (alarm.get("Statistic") or alarm["ExtendedStatistic"], alarm["Period"]) == (statistic, period)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (periods, periods)
    assert _condition(alarm) == condition


@pytest.mark.parametrize(
    ("name", "metrics", "period", "periods", "condition"),
    [
        (
            "MoreDeadLetters",
            {"ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"},
            60,
            1,
            ">= 1",
        ),
        ("WorkerErrorRate", {"WorkerErrors", "WorkerSuccesses"}, 300, 3, "> 50"),
        (
            "Stalled",
            {"ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible", "WorkerSuccesses"},
            300,
            12,
            "> 0",
        ),
    ],
)
def test_an_alarm_of_metric_math_goes_off_when_its_page_says_so(
    alarms: dict[str, dict[str, Any]], name: str, metrics: set[str], period: int, periods: int, condition: str
) -> None:
    alarm = alarms[name]
    result, *series = alarm["Metrics"]
    assert {one["MetricStat"]["Metric"]["MetricName"] for one in series} == metrics
    assert {one["MetricStat"]["Period"] for one in series} == {period}
    assert [one["ReturnData"] for one in series] == [False] * len(series)
    assert set(re.findall(r"\b[a-z]+\b", result["Expression"])) == {one["Id"] for one in series}
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (periods, periods)
    assert _condition(alarm) == condition


def _condition(alarm: dict[str, Any]) -> str:
    signs = {"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": ">="}
    return f"{signs[alarm['ComparisonOperator']]} {alarm['Threshold']}"


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_alarm_says_why_and_what_to_do_and_tells_the_topic(
    template: Template, alarms: dict[str, dict[str, Any]], name: str
) -> None:
    alarm = alarms[name]
    description = alarm["AlarmDescription"]
    assert re.fullmatch(r"Why: .+\. What to do: .+\. watchbot-cdk: docs/reference/alarms\.md#[a-z]+", description)
    assert len(description) + 500 <= 1024
    assert description.endswith(f"#{name.lower()}")
    assert [target["Ref"][:20] for target in alarm["AlarmActions"]] == ["svcNotificationTopic"]
    assert "OKActions" not in alarm
    assert "AlarmName" not in alarm


@pytest.mark.parametrize("name", sorted(ALL))
def test_missing_data_sets_no_alarm_off_and_leaves_none_hanging(alarms: dict[str, dict[str, Any]], name: str) -> None:
    assert alarms[name]["TreatMissingData"] == "notBreaching"


def test_every_metric_of_ours_that_an_alarm_reads_is_one_that_watchers_write(
    template: Template, alarms: dict[str, dict[str, Any]]
) -> None:
    read = [alarm for alarm in alarms.values() if "MetricName" in alarm]
    read += [
        query["MetricStat"]["Metric"]
        for alarm in alarms.values()
        for query in alarm.get("Metrics", ())
        if "MetricStat" in query
    ]
    ours = [metric for metric in read if metric["Namespace"] == "Watchbot"]
    assert {metric["MetricName"] for metric in ours} <= set(Metric)
    service = template.environment("watcher")["WATCHBOT_SERVICE"]
    assert all(metric["Dimensions"] == [{"Name": "Service", "Value": service}] for metric in ours)
    assert len(ours) == 6


def test_cloudwatch_may_publish_for_alarms_of_this_account_and_over_tls_only(template: Template) -> None:
    policy = template.one("AWS::SNS::TopicPolicy", "NotificationTopic")["PolicyDocument"]
    deny, allow = sorted(policy["Statement"], key=lambda statement: statement["Effect"] == "Allow")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Action"] == "sns:Publish"
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_each_alarm_can_be_tuned_and_a_threshold_of_zero_is_zero() -> None:
    alarms = alarms_of(
        synth_watchbot(
            alarms=Alarms(
                dead_letter=DeadLetterAlarm(threshold=0),
                more_dead_letters=MoreDeadLettersAlarm(threshold=5),
                queue_size=QueueSizeAlarm(threshold=0, periods=2),
                worker_errors=WorkerErrorsAlarm(threshold=0),
                worker_error_rate=WorkerErrorRateAlarm(threshold=0, minimum_jobs=1, periods=1),
                failed_worker_placement=FailedWorkerPlacementAlarm(threshold=3, periods=5),
                stalled=StalledAlarm(after=Duration.minutes(10)),
                dwell_time=DwellTimeAlarm(threshold=Duration.seconds(0), periods=1),
            )
        )
    )
    assert {name: (alarm["Threshold"], alarm["EvaluationPeriods"]) for name, alarm in alarms.items()} == {
        "DeadLetter": (0, 1),
        "MoreDeadLetters": (5, 1),
        "QueueSize": (0, 2),
        "WorkerErrors": (0, 1),
        "WorkerErrorRate": (0, 1),
        "FailedWorkerPlacement": (3, 5),
        "Stalled": (0, 2),
        "DwellTime": (0, 1),
    }


def test_each_alarm_can_be_switched_off_and_all_of_them() -> None:
    assert set(alarms_of(synth_watchbot(alarms=Alarms(stalled=None, worker_errors=None)))) == DEFAULT - {
        "Stalled",
        "WorkerErrors",
    }
    assert alarms_of(synth_watchbot(alarms=Alarms.off())) == {}


def test_alarms_that_are_over_are_told_of_if_asked_and_runbooks_may_be_elsewhere() -> None:
    alarms = alarms_of(synth_watchbot(alarms=Alarms(ok_actions=True, runbook_base="https://wiki.example/ops")))
    for name, alarm in alarms.items():
        assert alarm["OKActions"] == alarm["AlarmActions"]
        assert alarm["AlarmDescription"].endswith(f" https://wiki.example/ops#{name.lower()}")


@pytest.mark.parametrize(
    ("job_timeout", "periods", "period", "dwell_hours"),
    [
        (Duration.minutes(30), 18, 300, 1.5),
        (Duration.hours(40), 41, 3600, 41),
        (Duration.days(8), 168, 3600, 193),
        (None, 12, 300, 1),
    ],
)
def test_long_jobs_are_waited_for_where_their_timeout_is_known(
    job_timeout: Duration | None, periods: int, period: int, dwell_hours: float
) -> None:
    alarms = alarms_of(synth_watchbot(job_timeout=job_timeout, retention_period=Duration.days(14)))
    assert alarms["Stalled"]["EvaluationPeriods"] == periods
    assert alarms["Stalled"]["Metrics"][1]["MetricStat"]["Period"] == period
    assert alarms["DwellTime"]["Threshold"] == dwell_hours * 3_600_000


def test_numbers_may_be_known_only_at_deployment() -> None:
    def build(stack: Stack) -> None:
        count = CfnParameter(stack, "Count", type="Number").value_as_number
        rate = WorkerErrorRateAlarm(threshold=count, minimum_jobs=count)
        Watchbot(
            stack,
            "svc",
            image=image(),
            alarms=Alarms(queue_size=QueueSizeAlarm(threshold=count, periods=count), worker_error_rate=rate),
        )

    alarms = alarms_of(synth(build))
    assert alarms["QueueSize"]["Threshold"] == alarms["QueueSize"]["EvaluationPeriods"] == {"Ref": "Count"}
    assert ">= <{'Ref': 'Count'}>, 100" in placeholders(alarms["WorkerErrorRate"]["Metrics"][0]["Expression"])


@pytest.mark.parametrize(
    ("alarms", "says"),
    [
        ("none", "alarms must be a Alarms, got 'none'"),
        (Alarms(stalled=QueueSizeAlarm()), "alarms stalled must be a StalledAlarm or None, got QueueSizeAlarm("),  # type: ignore[arg-type] # refused
        (Alarms(stalled=StalledAlarm(after=60)), "alarms stalled after must be a Duration or None, got 60"),  # type: ignore[arg-type] # refused
        (Alarms(ok_actions=1), "alarms ok_actions must be a bool, got 1"),  # type: ignore[arg-type] # refused
        (Alarms(runbook_base=""), "alarms runbook_base must have 1 to 500 characters, got 0"),
        (
            Alarms(runbook_base="https://wiki.example/ops#"),
            "alarms runbook_base must be a page's address without a #, which is added with the section of each alarm, "
            "got 'https://wiki.example/ops#'",
        ),
        (Alarms(queue_size=QueueSizeAlarm(threshold=-1)), "alarms queue_size threshold must be a number from 0 to"),
        (Alarms(queue_size=QueueSizeAlarm(periods=289)), "queue_size periods must be a whole number from 1 to 288"),
        (Alarms(worker_errors=WorkerErrorsAlarm(periods=0)), "periods must be a whole number from 1 to 1440"),
        (
            Alarms(worker_error_rate=WorkerErrorRateAlarm(threshold=101)),
            "alarms worker_error_rate threshold must be a number from 0 to 100, got 101",
        ),
        (
            Alarms(stalled=StalledAlarm(after=Duration.minutes(5))),
            "alarms stalled after must be 600 to 604800 seconds, got 300",
        ),
    ],
)  # fmt: skip
def test_refuses_by_name_what_no_alarm_can_be(alarms: Any, says: str) -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        synth_watchbot(alarms=alarms)
    assert says in str(caught.value)
    assert len(caught.value.problems) == 1


def test_refuses_a_time_that_is_known_only_at_deployment() -> None:
    def build(stack: Stack) -> None:
        after = Duration.seconds(CfnParameter(stack, "After", type="Number").value_as_number)
        Watchbot(stack, "svc", image=image(), alarms=Alarms(stalled=StalledAlarm(after=after)))

    with pytest.raises(WatchbotArgumentError, match="alarms stalled after must be known at synthesis"):
        synth(build)


def test_alarms_can_be_given_actions_and_be_made_composite_ones_of() -> None:
    def build(stack: Stack) -> None:
        svc = Watchbot(stack, "svc", image=image())
        stalled = svc.alarms["Stalled"]
        stalled.alarm_actions = [*(stalled.alarm_actions or ()), "arn:aws:sns:eu-west-1:123456789012:pager"]
        rule = cloudwatch.AlarmRule.any_of(
            *(cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in svc.alarms.values())
        )
        cloudwatch.CompositeAlarm(stack, "Any", alarm_rule=rule)
        with pytest.raises(TypeError):
            svc.alarms["Stalled"] = stalled  # type: ignore[index] # read-only

    template = synth(build)
    assert alarms_of(template)["Stalled"]["AlarmActions"][1].endswith(":pager")
    rule = placeholders(template.one("AWS::CloudWatch::CompositeAlarm")["AlarmRule"])
    assert rule.count("ALARM(") == len(DEFAULT)


def test_two_services_and_a_nested_one_keep_their_alarms_apart() -> None:
    app = App()
    stack = Stack(app, "Demo")
    one = Watchbot(stack, "one", image=image())
    two = Watchbot(stack, "two", image=image(), isolation=Isolation.PROCESS, command=["true"])
    inner = Watchbot(NestedStack(stack, "Inner"), "svc", image=image())
    template = Template(app.synth().get_stack_by_name("Demo").template)
    assert len(template.of_type("AWS::CloudWatch::Alarm")) == 2 * len(DEFAULT)
    assert set(one.alarms) == set(two.alarms) == set(inner.alarms) == DEFAULT
