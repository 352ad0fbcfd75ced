"""What status asks of AWS, with answers in several pages and refusals."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import ANY, Stubber
from click.testing import CliRunner

from tests.unit.cli.snapshots import IDLE
from tests.unit.cli.stacks import in_stack
from watchbot.contract import METRIC_SERVICE, Description, Isolation
from watchbot_cli.errors import CommandError
from watchbot_cli.main import cli
from watchbot_cli.pausing.capacity import Capacity
from watchbot_cli.pausing.pausable import TAG
from watchbot_cli.status.alarm_state import alarm_names, read_alarms
from watchbot_cli.status.ecs_state import read_watchers, read_worker_tasks
from watchbot_cli.status.metric_data import read_metrics
from watchbot_cli.status.queue_state import read_depth
from watchbot_cli.status.snapshot import PARTS, Limits, Percentiles, Rate, Unreadable, WorkerTasks
from watchbot_cli.status.together import together

_CLUSTER = "arn:aws:ecs:eu-west-1:111122223333:cluster/jobs"
_SERVICE = "arn:aws:ecs:eu-west-1:111122223333:service/jobs/watchers"
_AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

_DESCRIPTION = Description(
    service="Stack/svc",
    isolation=Isolation.TASK,
    topic_arn="topic",
    queue_url="https://sqs.example/1/work",
    dead_letter_queue_url="https://sqs.example/1/dead",
    log_group="log",
    cluster=_CLUSTER,
    ecs_service=_SERVICE,
    task_definition="watcher",
    worker_task_definition="worker",
)


def _stubbed(service: str) -> tuple[Any, Stubber]:
    session: Any = boto3.session.Session("key", "secret", region_name="eu-west-1")
    client = session.client(service)
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber


def _ecs_service(**fields: Any) -> dict[str, Any]:
    one = {"status": "ACTIVE", "serviceName": "watchers", "clusterArn": _CLUSTER, "serviceArn": _SERVICE}
    return {"services": [one | {"runningCount": 2, "pendingCount": 1, "desiredCount": 3} | fields], "failures": []}


def _target(stubber: Stubber, *targets: dict[str, Any]) -> None:
    expected = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceIds": ["service/jobs/watchers"],
    }
    stubber.add_response("describe_scalable_targets", {"ScalableTargets": list(targets)}, expected)


def _limits(low: int, high: int, **state: bool) -> dict[str, Any]:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/jobs/watchers",
        "ScalableDimension": "ecs:service:DesiredCount",
        "RoleARN": "role",
        "CreationTime": _AT,
        "MinCapacity": low,
        "MaxCapacity": high,
        "SuspendedState": state,
    }


def _watchers(*targets: dict[str, Any], **fields: Any) -> Any:
    ecs, answers = _stubbed("ecs")
    expected = {"cluster": _CLUSTER, "services": [_SERVICE], "include": ["TAGS"]}
    answers.add_response("describe_services", _ecs_service(**fields), expected)
    autoscaling, scaling = _stubbed("application-autoscaling")
    _target(scaling, *targets)
    return read_watchers(ecs, autoscaling, _CLUSTER, _SERVICE)


def test_watchers_are_read_with_their_limits() -> None:
    found = _watchers(_limits(1, 9))
    assert (found.running, found.pending, found.desired, found.limits) == (2, 1, 3, Limits(1, 9, suspended=False))
    assert (found.paused, found.deployment) == (None, None)
    assert _watchers().limits is None


def test_a_pause_is_known_by_its_tag() -> None:
    tag = {"key": TAG, "value": Capacity(4, None).to_tag()}
    assert _watchers(desiredCount=0, tags=[tag]).paused == 4


@pytest.mark.parametrize(
    ("state", "old", "says"),
    [
        ("COMPLETED", 0, None),
        ("IN_PROGRESS", 0, "under way: 1 of 3 new watchers run, 2 have failed"),
        ("COMPLETED", 1, "under way: 1 of 3 new watchers run, 2 have failed"),
        ("FAILED", 0, "failed: tasks failed to start"),
    ],
)
def test_a_deployment_is_told_until_it_is_complete(state: str, old: int, says: str | None) -> None:
    newest = {"status": "PRIMARY", "runningCount": 1, "desiredCount": 3, "failedTasks": 2, "rolloutState": state}
    reason = {"rolloutStateReason": "tasks failed to start"}
    assert _watchers(deployments=[newest | reason, *([{"status": "ACTIVE"}] * old)]).deployment == says


def test_scaling_that_may_not_be_read_is_said_beside_the_watchers() -> None:
    ecs, answers = _stubbed("ecs")
    answers.add_response("describe_services", _ecs_service())
    autoscaling, scaling = _stubbed("application-autoscaling")
    scaling.add_client_error("describe_scalable_targets", "AccessDeniedException", "not you")
    found = read_watchers(ecs, autoscaling, _CLUSTER, _SERVICE)
    assert found.running == 2
    assert found.limits == Unreadable("these AWS credentials may not call DescribeScalableTargets: not you")


def test_tasks_are_counted_over_pages_and_no_more_than_watchers_can_spare_calls_for() -> None:
    for pages, found in ((1, WorkerTasks(100, at_least=False)), (3, WorkerTasks(300, at_least=False))):
        assert _counted(pages) == found
    assert _counted(12) == WorkerTasks(1000, at_least=True)


def _counted(pages: int) -> WorkerTasks:
    ecs, answers = _stubbed("ecs")
    for number in range(pages):
        more = {"nextToken": str(number + 1)} if number + 1 < pages else {}
        begin = {"nextToken": str(number)} if number else {}
        expected = {"cluster": _CLUSTER, "family": "worker", **begin}
        answers.add_response("list_tasks", {"taskArns": ["task"] * 100, **more}, expected)
    return read_worker_tasks(ecs, _CLUSTER, "worker")


def _resource(kind: str, name: str | None, status: str = "CREATE_COMPLETE") -> dict[str, Any]:
    given = {} if name is None else {"PhysicalResourceId": name}
    about = {"LogicalResourceId": "Id", "LastUpdatedTimestamp": _AT, "ResourceStatus": status}
    return {"ResourceType": f"AWS::{kind}", **about, **given}


def _page(stubber: Stubber, stack: str, *resources: dict[str, Any], token: str | None = None, more: str = "") -> None:
    expected = {"StackName": stack} | ({} if token is None else {"NextToken": token})
    answer: dict[str, Any] = {"StackResourceSummaries": list(resources)} | ({"NextToken": more} if more else {})
    stubber.add_response("list_stack_resources", answer, expected)


def test_alarms_are_found_on_every_page_and_in_nested_stacks() -> None:
    cloudformation, answers = _stubbed("cloudformation")
    alarm, nested = "CloudWatch::Alarm", "CloudFormation::Stack"
    queues = [_resource("SQS::Queue", f"queue{number}") for number in range(99)]
    _page(answers, "Stack", *queues, _resource(alarm, "first"), more="2")
    _page(answers, "Stack", _resource(nested, "arn:inner"), _resource(alarm, "second"), token="2")
    gone = [_resource(alarm, "gone", "DELETE_COMPLETE"), _resource(alarm, None, "CREATE_IN_PROGRESS")]
    _page(answers, "arn:inner", _resource(alarm, "third"), *gone)
    assert alarm_names(cloudformation, "Stack") == ["first", "second", "third"]
    answers.assert_no_pending_responses()


def _alarm(name: str, state: str, since: int = 0, **fields: Any) -> dict[str, Any]:
    when = {"StateUpdatedTimestamp": _AT, "StateTransitionedTimestamp": _AT + timedelta(minutes=since)}
    return {"AlarmName": name, "StateValue": state, "AlarmDescription": f"Why: {name}", **when, **fields}


def _on(name: str, value: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value}]


def _math(dimensions: list[dict[str, str]]) -> list[dict[str, Any]]:
    metric = {"Namespace": "n", "MetricName": "m", "Dimensions": dimensions}
    return [{"Id": "e", "Expression": "a"}, {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}]


def test_alarms_are_those_that_watch_this_service_and_do_not_scale_it() -> None:
    cloudwatch, answers = _stubbed("cloudwatch")
    policy = ["arn:aws:autoscaling:eu-west-1:1:scalingPolicy:id:resource/ecs/service/jobs/watchers:policyName/out"]
    tasks = _on("ClusterName", "jobs") + _on("ServiceName", "watchers")
    alarms = [
        _alarm("errors", "ALARM", 1, Dimensions=_on(METRIC_SERVICE, "Stack/svc")),
        _alarm("stalled", "ALARM", 2, Metrics=_math(_on("QueueName", "work"))),
        _alarm("dead", "OK", Dimensions=_on("QueueName", "dead")),
        _alarm("cpu", "INSUFFICIENT_DATA", Dimensions=tasks),
        _alarm("scale", "ALARM", Metrics=_math(_on("QueueName", "work")), AlarmActions=policy),
        _alarm("other", "ALARM", Dimensions=_on(METRIC_SERVICE, "Stack/other")),
        _alarm("elsewhere", "ALARM", Dimensions=_on("ServiceName", "watchers")),
    ]
    names = [f"alarm{number}" for number in range(150)]
    for part, answer in ((names[:100], alarms[:1]), (names[100:], alarms[1:])):
        answers.add_response("describe_alarms", {"MetricAlarms": answer}, {"AlarmNames": part, "MaxRecords": 100})
    found = read_alarms(cloudwatch, names, _DESCRIPTION)
    assert found.count == 4
    assert [(one.name, one.description) for one in found.in_alarm] == [
        ("stalled", "Why: stalled"),
        ("errors", "Why: errors"),
    ]
    assert found.in_alarm[0].since == _AT + timedelta(minutes=2)


def test_a_stack_without_alarms_asks_for_none() -> None:
    cloudwatch, _ = _stubbed("cloudwatch")
    assert read_alarms(cloudwatch, [], _DESCRIPTION).count == 0


def _result(name: str, *values: tuple[int, float]) -> dict[str, Any]:
    times = [_AT - timedelta(minutes=ago) for ago, _ in values]
    return {"Id": name, "Timestamps": times, "Values": [value for _, value in values]}


def test_metrics_are_added_up_over_pages_of_one_call() -> None:
    cloudwatch, answers = _stubbed("cloudwatch")
    asked = {"MetricDataQueries": ANY, "StartTime": _AT - timedelta(hours=1), "EndTime": _AT}
    first = [_result("received", (1, 10), (4, 15)), _result("job_p50", (60, 2000)), _result("workers", (1, 7))]
    second = [_result("received", (30, 35)), _result("oldest", (2, 90)), _result("waiting_to_start", (9, 1))]
    answers.add_response("get_metric_data", {"MetricDataResults": first, "NextToken": "2"}, asked)
    answers.add_response("get_metric_data", {"MetricDataResults": second}, {**asked, "NextToken": "2"})
    found = read_metrics(cloudwatch, _DESCRIPTION, _AT + timedelta(seconds=42))
    assert found.per_minute["received"] == Rate(5.0, 1.0)
    assert found.per_minute["failed"] == Rate(0.0, 0.0)
    assert found.job_seconds == Percentiles(2.0, None, None)
    assert (found.workers, found.waiting_to_start) == (7, None)
    assert (found.oldest_seconds, found.oldest_dead_letter_seconds) == (90, None)


def test_one_call_asks_for_what_watchers_and_sqs_write() -> None:
    asked: list[dict[str, Any]] = []
    cloudwatch, answers = _stubbed("cloudwatch")
    answers.add_response("get_metric_data", {"MetricDataResults": []})
    cloudwatch.meta.events.register("provide-client-params.*", lambda params, **_: asked.append(params))
    read_metrics(cloudwatch, _DESCRIPTION, _AT)
    (call,) = asked
    of = {one["Id"]: one["MetricStat"] for one in call["MetricDataQueries"]}
    assert of["oldest_dead_letter"]["Metric"]["Dimensions"] == _on("QueueName", "dead")
    assert of["job_p99"]["Metric"]["Dimensions"] == _on(METRIC_SERVICE, "Stack/svc")
    assert (of["job_p99"]["Stat"], of["job_p99"]["Period"]) == ("p99", 3600)
    assert {one["Period"] for name, one in of.items() if "_p" not in name} == {60}


def test_a_part_that_fails_fails_for_itself() -> None:
    sqs, answers = _stubbed("sqs")
    answers.add_client_error("get_queue_attributes", "AccessDenied", "not you")
    ecs, gone = _stubbed("ecs")
    gone.add_client_error("describe_services", "ClusterNotFoundException", "Cluster not found.")
    found = together(
        {
            "queue": lambda: read_depth(sqs, "url"),
            "watchers": lambda: read_watchers(ecs, None, _CLUSTER, _SERVICE),
            "metrics": lambda: _raise(EndpointConnectionError(endpoint_url="https://here")),
            "service": lambda: _raise(CommandError("is not active")),
            "alarms": itertools.count(3).__next__,
        }
    )
    assert found["alarms"] == 3
    assert found["queue"] == Unreadable("these AWS credentials may not call GetQueueAttributes: not you")
    assert "Cluster not found" in found["watchers"].unreadable
    assert "AWS cannot be reached" in found["metrics"].unreadable
    assert found["service"] == Unreadable("is not active")


def test_a_service_of_which_nothing_can_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    denied = Unreadable("these AWS credentials may not")
    parts: dict[str, Any] = dict.fromkeys(PARTS, denied)
    nothing = dataclasses.replace(IDLE, **parts)
    monkeypatch.setattr("watchbot_cli.status.run.find", lambda *_, **__: in_stack(_DESCRIPTION))
    for snapshot, code in ((nothing, 1), (dataclasses.replace(nothing, queue=IDLE.queue), 0)):
        monkeypatch.setattr("watchbot_cli.status.run.Reading", lambda *_, found=snapshot: lambda: found)
        ran = CliRunner().invoke(cli, ["status", "--stack", "Stack", "--region", "eu-west-1"])
        assert (ran.exit_code, isinstance(ran.exception, CommandError)) == (code, code == 1)


def test_a_bug_is_not_taken_for_a_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        together({"queue": lambda: _raise(ZeroDivisionError())})


def _raise(error: Exception) -> None:
    raise error
