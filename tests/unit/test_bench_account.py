"""The account of ``make bench-scale`` refuses what AWS refuses, by a clock that the test holds."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from bench.scale.cluster import Cluster, Life
from bench.scale.ledger import Ledger
from bench.scale.limits import Limits
from bench.scale.queue import Queue
from bench.scale.refusal import Refusal

URL = "arn:aws:ecs:us-east-1:000000000000:task-definition/family"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _cluster(clock: Clock, life: Life = Life(hidden_seconds=0)) -> Cluster:  # noqa: B008 - frozen
    return Cluster(life, random.Random(1), clock)


def _request(token: str = "t", message_id: str = "m", text: str = "x") -> dict[str, Any]:
    environment = [{"name": "Message", "value": text}]
    overrides = {"containerOverrides": [{"name": "worker", "environment": environment}]}
    return {"taskDefinition": URL, "startedBy": f"wb-{message_id}", "clientToken": token, "overrides": overrides}


def _run(cluster: Cluster, **fields: str) -> str:
    arn: str = json.loads(cluster.run_task(_request(**fields)))["tasks"][0]["taskArn"]
    return arn


def _describe(cluster: Cluster, *arns: str) -> Any:
    return json.loads(cluster.describe_tasks({"tasks": list(arns)}))


def _listed(cluster: Cluster, **filters: Any) -> list[str]:
    arns: list[str] = json.loads(cluster.list_tasks(filters))["taskArns"]
    return arns


@pytest.mark.parametrize(
    ("operations", "burst", "rate"),
    [(["RunTask"], 20, 20), (["StopTask"], 100, 40), (["DescribeTasks", "ListTasks"], 100, 20)],
)
def test_calls_beyond_the_burst_are_refused_until_the_bucket_fills(
    clock: Clock, operations: list[str], burst: int, rate: int
) -> None:
    limits = Limits(clock)

    def allowed() -> int:
        return sum(limits.allow(operations[number % len(operations)]) for number in range(3 * burst))

    assert allowed() == burst
    clock.now += 0.5
    assert allowed() == rate // 2
    clock.now += 1000
    assert allowed() == burst


def test_launches_leave_room_to_stop_tasks(clock: Clock) -> None:
    limits = Limits(clock)
    assert sum(limits.allow("RunTask") for _ in range(200)) == 20
    assert sum(limits.allow("StopTask") for _ in range(200)) == 80
    assert not limits.allow("RunTask")
    assert limits.allow("ListTasks")
    assert limits.allow("ReceiveMessage")


def test_a_token_launches_once_and_other_parameters_conflict(clock: Clock) -> None:
    cluster = _cluster(clock)
    arn = _run(cluster)
    assert _run(cluster) == arn
    with pytest.raises(Refusal) as caught:
        _run(cluster, text="y")
    assert (caught.value.code, caught.value.fields) == ("ConflictException", {"resourceIds": [arn]})
    assert _run(cluster, token="u", message_id="n") != arn
    clock.now += 24 * 3600
    assert _run(cluster) != arn
    assert cluster.twice_at_once == 0


def test_a_new_task_is_missing_and_unlisted_at_first(clock: Clock) -> None:
    cluster = _cluster(clock, Life(hidden_seconds=5))
    arn = _run(cluster)
    assert _describe(cluster, arn) == {"tasks": [], "failures": [{"arn": arn, "reason": "MISSING"}]}
    assert _listed(cluster, startedBy="wb-m") == _listed(cluster, family="family") == []
    clock.now += 5
    assert _describe(cluster, arn)["tasks"][0]["lastStatus"] == "PENDING"
    assert _listed(cluster, startedBy="wb-m") == _listed(cluster, family="family") == [arn]


def test_a_task_starts_runs_stops_and_is_shown_for_an_hour(clock: Clock) -> None:
    cluster = _cluster(clock)
    arn = _run(cluster)
    clock.now += 40
    assert _describe(cluster, arn)["tasks"][0]["lastStatus"] == "RUNNING"
    ends_at = cluster.tasks_of("wb-m")[0].stops_at
    clock.now = ends_at
    task = _describe(cluster, arn)["tasks"][0]
    assert (task["lastStatus"], task["stoppedAt"], task["containers"][0]["exitCode"]) == ("STOPPED", ends_at, 0)
    assert _listed(cluster, family="family") == []
    assert _listed(cluster, family="family", desiredStatus="STOPPED") == [arn]
    clock.now = ends_at + 3600
    assert _describe(cluster, arn)["failures"] == [{"arn": arn, "reason": "MISSING"}]
    assert _listed(cluster, startedBy="wb-m", desiredStatus="STOPPED") == []


def test_a_task_that_is_stopped_says_by_what(clock: Clock) -> None:
    cluster = _cluster(clock)
    arn = _run(cluster)
    cluster.stop_task({"task": arn, "reason": "enough"})
    assert _describe(cluster, arn)["tasks"][0]["desiredStatus"] == "STOPPED"
    clock.now += 10
    task = _describe(cluster, arn)["tasks"][0]
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")


def test_two_tasks_of_a_message_alive_at_once_are_noticed(clock: Clock) -> None:
    cluster = _cluster(clock)
    _run(cluster)
    _run(cluster, token="u")
    assert cluster.twice_at_once == 1


def test_tasks_are_listed_in_pages_of_a_hundred(clock: Clock) -> None:
    cluster = _cluster(clock)
    arns = [_run(cluster, token=f"t{number}", message_id=f"m{number}") for number in range(250)]
    found, fields = [], {"family": "family"}
    while True:
        page = json.loads(cluster.list_tasks(fields))
        found.append(page["taskArns"])
        if "nextToken" not in page:
            break
        fields["nextToken"] = page["nextToken"]
    assert [len(page) for page in found] == [100, 100, 50]
    assert [arn for page in found for arn in page] == arns


def test_refuses_more_tasks_a_call_and_longer_overrides_than_ecs_takes(clock: Clock) -> None:
    cluster = _cluster(clock)
    with pytest.raises(Refusal, match="1 to 100"):
        _describe(cluster, *[str(number) for number in range(101)])
    with pytest.raises(Refusal, match="at most 8192"):
        _run(cluster, text="x" * 8192)


def _queue(clock: Clock, deleted: list[str], in_flight_limit: int = 120_000) -> Queue:
    return Queue(clock, deleted.append, in_flight_limit)


def _receive(queue: Queue, limit: int = 10, wait: int = 10) -> list[dict[str, Any]]:
    request = {"MaxNumberOfMessages": limit, "WaitTimeSeconds": wait, "VisibilityTimeout": 60}
    messages: list[dict[str, Any]] = json.loads(queue.receive(request) or b"{}").get("Messages", [])
    return messages


def _entry(message: dict[str, Any], **fields: int) -> dict[str, Any]:
    return {"Id": "0", "ReceiptHandle": message["ReceiptHandle"], **fields}


def test_a_message_comes_back_with_another_handle_and_the_old_one_deletes_nothing(clock: Clock) -> None:
    deleted: list[str] = []
    queue = _queue(clock, deleted)
    queue.put(1)
    (first,) = _receive(queue)
    assert _receive(queue) == []
    clock.now += 60
    (again,) = _receive(queue)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert json.loads(queue.delete_batch({"Entries": [_entry(first)]}))["Failed"] == []
    assert deleted == []
    queue.delete_batch({"Entries": [_entry(again)]})
    assert deleted == [first["MessageId"]]


def test_a_lease_is_extended_up_to_twelve_hours_and_not_once_it_has_ended(clock: Clock) -> None:
    queue = _queue(clock, [])
    queue.put(1)
    (message,) = _receive(queue)
    clock.now += 50
    extended = {"Entries": [_entry(message, VisibilityTimeout=43_150)]}
    assert json.loads(queue.change_visibility_batch(extended))["Failed"] == []
    clock.now += 1
    (failed,) = json.loads(queue.change_visibility_batch(extended))["Failed"]
    assert "beyond the limit" in failed["Message"]
    clock.now += 43_149
    (failed,) = json.loads(queue.change_visibility_batch({"Entries": [_entry(message, VisibilityTimeout=5)]}))["Failed"]
    assert failed["Code"] == "InvalidParameterValue"
    assert len(_receive(queue)) == 1


def test_a_full_flight_brings_nothing_and_is_an_error_to_a_short_poll_alone(clock: Clock) -> None:
    queue = _queue(clock, [], in_flight_limit=15)
    queue.put(20)
    assert [len(_receive(queue)) for _ in range(3)] == [10, 5, 0]
    with pytest.raises(Refusal) as caught:
        _receive(queue, wait=0)
    assert caught.value.code == "OverLimit"


def test_refuses_batches_that_sqs_refuses(clock: Clock) -> None:
    queue = _queue(clock, [])
    queue.put(1)
    (message,) = _receive(queue)
    entries = [_entry(message) | {"Id": str(number)} for number in range(11)]
    for batch, code in (
        (entries, "TooManyEntriesInBatchRequest"),
        ([], "EmptyBatchRequest"),
        ([_entry(message)] * 2, "BatchEntryIdsNotDistinct"),
    ):
        with pytest.raises(Refusal) as caught:
            queue.delete_batch({"Entries": batch})
        assert (caught.value.code, caught.value.query_code) == (code, f"AWS.SimpleQueueService.{code}")
    with pytest.raises(Refusal, match="between 1 and 10"):
        _receive(queue, limit=11)


def test_a_delete_without_a_finished_task_is_told_apart(clock: Clock) -> None:
    cluster, ledger = _cluster(clock), Ledger()
    _run(cluster)
    ledger.deleted(cluster.tasks_of("wb-m"), clock.now)
    clock.now = cluster.tasks_of("wb-m")[0].stops_at + 3
    ledger.deleted(cluster.tasks_of("wb-m"), clock.now)
    report = ledger.report(0)
    assert (report["unfinished"], report["waits"], report["runs"]) == (1, [3.0], {1: 2})
