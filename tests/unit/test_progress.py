"""The progress of jobs, on a DynamoDB of our own and on moto's, which knows the words that expressions may not hold."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from bench.progress.dynamodb import SimulatedDynamoDb
from botocore.exceptions import ClientError
from moto import mock_aws

from watchbot.contract import PROGRESS_EXPIRY, PROGRESS_KEEP_SECONDS, PROGRESS_KEY
from watchbot.progress import (
    InvalidValueError,
    OtherTotalError,
    Progress,
    ProgressError,
    Status,
    TableError,
    UnknownJobError,
)
from watchbot.progress.table import Table

NOW = 1_800_000_000
TABLE = "arn:aws:dynamodb:eu-central-1:111122223333:table/jobs"


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


class _Atomic:
    """A client of moto's whose calls come one after the other: it looks at a condition, and then writes, unlocked."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return functools.partial(self._call, found) if inspect.ismethod(found) else found

    def _call(self, method: Callable[..., Any], **asked: Any) -> Any:
        with self._lock:
            return method(**asked)


@pytest.fixture(params=["simulated", "moto"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "simulated":
        yield SimulatedDynamoDb()
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        moto = boto3.client("dynamodb", "eu-central-1")
        moto.create_table(
            TableName="jobs",
            KeySchema=[{"AttributeName": PROGRESS_KEY, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": PROGRESS_KEY, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield _Atomic(moto)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(client: Any, clock: Clock) -> Progress:
    return Progress(Table(client, "jobs", wait=lambda _: None), clock=clock)


def test_ten_at_once_and_one_is_told_that_it_was_the_last(progress: Progress) -> None:
    progress.set_total("job", 10)
    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(lambda part: progress.complete_part("job", part), range(1, 11)))
    assert sorted(told) == [False] * 9 + [True]


def test_a_part_that_is_completed_again_counts_once_and_the_last_is_not_told_again(progress: Progress) -> None:
    progress.set_total("job", 2)
    assert [progress.complete_part("job", part) for part in (1, 1, 2, 2, 1)] == [False, False, True, False, False]


def test_a_start_that_is_tried_again_resets_nothing(progress: Progress) -> None:
    progress.set_total("job", 4)
    progress.complete_part("job", 4)
    progress.set_total("job", 4)
    assert progress.status("job", 4) == Status(progress=0.25, part_complete=True)


def test_refuses_another_total(progress: Progress) -> None:
    progress.set_total("job", 4)
    with pytest.raises(OtherTotalError, match="job 'job' has a total of 4, and cannot get 5: delete it, or take"):
        progress.set_total("job", 5)


def test_progress_is_rounded_down_and_never_1_early(progress: Progress) -> None:
    progress.set_total("job", 120)
    for part in range(1, 120):
        assert not progress.complete_part("job", part)
    assert progress.status("job", 120) == Status(progress=0.99, part_complete=False)
    assert progress.status("job", 1) == Status(progress=0.99, part_complete=True)
    assert progress.complete_part("job", 120)
    assert progress.status("job", 120) == Status(progress=1.0, part_complete=True)


def test_the_status_of_a_job_says_what_is_known(progress: Progress) -> None:
    progress.set_total("job", 10)
    progress.complete_part("job", 1)
    assert progress.status("job").as_json() == {"progress": 0.1}
    assert progress.status("job", 1).as_json() == {"progress": 0.1, "partComplete": True}
    assert progress.status("job", 2).as_json() == {"progress": 0.1, "partComplete": False}
    progress.set_metadata("job", {"colour": "red"})
    progress.fail_job("job", "out of paint")
    progress.reduce_sent("job")
    expected = {"progress": 0.1, "failed": "out of paint", "metadata": {"colour": "red"}, "reduceSent": True}
    assert progress.status("job").as_json() == expected


def test_a_finished_job_is_1_and_so_is_each_of_its_parts(progress: Progress) -> None:
    progress.set_total("job", 1)
    progress.complete_part("job", 1)
    assert progress.status("job", 1).as_json() == {"progress": 1, "partComplete": True}


def test_the_status_of_a_job_that_is_not_there_is_0(progress: Progress) -> None:
    assert progress.status("job").as_json() == {"progress": 0}


def test_metadata_is_merged_key_by_key_and_comes_back_as_it_was(progress: Progress) -> None:
    progress.set_total("job", 1)
    progress.set_metadata("job", {"size": 1.5, "name": "é", "born": [1, {"deep": None}]})
    progress.set_metadata("job", {"name": "other", "with space.and:dots": True})
    progress.set_metadata("job", {})
    assert progress.status("job").metadata == {
        "size": 1.5,
        "name": "other",
        "born": [1, {"deep": None}],
        "with space.and:dots": True,
    }


def test_the_first_is_told_that_it_sent_the_reduce_message_and_no_other(progress: Progress) -> None:
    progress.set_total("job", 1)
    with ThreadPoolExecutor(5) as pool:
        told = list(pool.map(lambda _: progress.reduce_sent("job"), range(5)))
    assert sorted(told) == [False] * 4 + [True]


def test_the_newest_reason_of_a_failure_counts_up_to_2048_characters(progress: Progress) -> None:
    progress.set_total("job", 1)
    progress.fail_job("job", "first")
    progress.fail_job("job", "x" * 5000)
    assert progress.status("job").failed == "x" * 2048


def test_refuses_everything_but_a_status_of_a_job_that_is_not_there(progress: Progress) -> None:
    for call in (
        lambda: progress.complete_part("job", 1),
        lambda: progress.set_metadata("job", {"a": 1}),
        lambda: progress.fail_job("job", "reason"),
        lambda: progress.reduce_sent("job"),
        lambda: progress.delete("job"),
    ):
        with pytest.raises(UnknownJobError, match="there is no job 'job' in the progress table: set its total first"):
            call()
    assert [*progress.list()] == []


@pytest.mark.parametrize("part", [0, -1, 4, 1.0, True, "1"])
def test_refuses_a_part_that_the_job_does_not_have(progress: Progress, part: Any) -> None:
    progress.set_total("job", 3)
    for call in (progress.complete_part, progress.status):
        with pytest.raises(
            InvalidValueError, match=f"a part of job 'job' must be a whole number from 1 to 3, got {part!r}"
        ):
            call("job", part)


@pytest.mark.parametrize("total", [0, -1, 10_000_001, 1.5, True, "3", None])
def test_refuses_a_total_that_cannot_be(progress: Progress, total: Any) -> None:
    with pytest.raises(InvalidValueError, match="total must be a whole number from 1 to 10000000, got"):
        progress.set_total("job", total)


@pytest.mark.parametrize("job_id", ["", "x" * 1025, None, 7, "\ud800"])
def test_refuses_an_id_that_cannot_be(progress: Progress, job_id: Any) -> None:
    with pytest.raises(InvalidValueError, match="the job's id must be a text of 1 to 1024 bytes, got"):
        progress.set_total(job_id, 1)


@pytest.mark.parametrize("metadata", [[1], {1: 2}, {"a": float("nan")}, {"a": {1}}, {"a": "x" * 65_536}, None])
def test_refuses_metadata_that_cannot_be_kept(progress: Progress, metadata: Any) -> None:
    progress.set_total("job", 1)
    with pytest.raises(InvalidValueError, match="metadata must be"):
        progress.set_metadata("job", metadata)


def test_a_hundred_keys_of_metadata_are_kept_in_one_call_and_more_are_refused(progress: Progress) -> None:
    progress.set_total("job", 1)
    progress.set_metadata("job", {f"key {number}": number for number in range(100)})
    assert len(progress.status("job").metadata or {}) == 100
    with pytest.raises(InvalidValueError, match="at most 100 keys at a time"):
        progress.set_metadata("job", {str(number): number for number in range(101)})


def test_ids_that_look_like_keys_of_ours_are_jobs_like_any_other(progress: Progress) -> None:
    ids = ["a", "job:a", "0:a", "metadata:a", "a:b/c#d", "\u2603" * 300]
    for job_id in ids:
        progress.set_total(job_id, 1)
    assert progress.complete_part("a", 1)
    assert {one.job_id: one.complete for one in progress.list()} == dict.fromkeys(ids, False) | {"a": True}


def test_the_list_says_of_every_job_how_it_is(progress: Progress) -> None:
    progress.set_total("one", 1)
    progress.complete_part("one", 1)
    progress.reduce_sent("one")
    progress.set_total("two", 2)
    progress.fail_job("two", "no paper")
    assert sorted((one.as_json() for one in progress.list()), key=lambda one: str(one["job"])) == [
        {"job": "one", "total": 1, "complete": True, "reduceSent": True, "created": NOW},
        {"job": "two", "total": 2, "complete": False, "failed": "no paper", "reduceSent": False, "created": NOW},
    ]


def test_a_deleted_job_is_gone_and_its_id_begins_anew(progress: Progress, client: Any) -> None:
    progress.set_total("job", 300)
    progress.set_metadata("job", {"a": 1})
    for part in range(1, 5):
        progress.complete_part("job", part)
    progress.delete("job")
    assert client.scan(**_everything())["Items"] == []
    progress.set_total("job", 2)
    assert progress.status("job") == Status(progress=0.0)


def test_what_a_deletion_left_behind_is_no_part_of_a_later_job(progress: Progress, client: Any) -> None:
    progress.set_total("job", 2)
    progress.complete_part("job", 1)
    client.batch_write_item(RequestItems={"jobs": [{"DeleteRequest": {"Key": {"id": {"S": "job:job"}}}}]})
    progress.set_total("job", 2)
    assert progress.status("job", 1) == Status(progress=0.0, part_complete=False)
    assert not progress.complete_part("job", 2)


def test_everything_expires_thirty_days_after_the_total_was_set(progress: Progress, client: Any, clock: Clock) -> None:
    progress.set_total("job", 3)
    clock.now += 86_400
    progress.complete_part("job", 1)
    progress.set_metadata("job", {"a": 1})
    items = client.scan(**_everything())["Items"]
    assert [int(item[PROGRESS_EXPIRY]["N"]) - NOW for item in items] == [PROGRESS_KEEP_SECONDS] * 3


def test_an_expired_job_that_is_still_shown_gives_way_to_a_new_one(progress: Progress, clock: Clock) -> None:
    progress.set_total("job", 3)
    progress.complete_part("job", 1)
    clock.now += PROGRESS_KEEP_SECONDS
    progress.set_total("job", 5)
    assert progress.status("job", 1) == Status(progress=0.0, part_complete=False)


def test_a_failing_database_is_a_sentence(progress: Progress, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetItem")

    monkeypatch.setattr(client, "get_item", refuse)
    for call in (progress.status, progress.delete):
        with pytest.raises(TableError, match=r"table jobs: .*AccessDeniedException.* no"):
            call("job")


def test_what_dynamodb_puts_off_is_asked_for_again(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    progress = Progress(Table(client, "jobs", wait=pauses.append))
    progress.set_total("job", 3)
    progress.complete_part("job", 1)
    read, write = client.batch_get_item, client.batch_write_item
    asked: list[str] = []

    def put_off(call: Any, left: str) -> Any:
        def answer(**fields: Any) -> Any:
            asked.append(left)
            return {"Responses": {}, left: fields["RequestItems"]} if asked.count(left) < 3 else call(**fields)

        return answer

    monkeypatch.setattr(client, "batch_get_item", put_off(read, "UnprocessedKeys"))
    monkeypatch.setattr(client, "batch_write_item", put_off(write, "UnprocessedItems"))
    assert progress.status("job").progress == 0.33
    progress.delete("job")
    assert pauses == [0.05, 0.1] * 2


def test_the_table_is_the_environments_or_the_one_that_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ProgressTable", TABLE)
    assert Progress()._table._client.meta.region_name == "eu-central-1"
    assert Progress(TABLE.replace("/jobs", "/other"))._table._name == "other"


@pytest.mark.parametrize("arn", ["", "jobs", TABLE.replace("dynamodb", "sqs"), f"{TABLE}/index/x"])
def test_refuses_what_is_no_table(arn: str) -> None:
    with pytest.raises(InvalidValueError, match="ProgressTable must be the ARN of a table, such as arn:aws:dynamodb"):
        Progress(arn)


def test_refuses_to_guess_a_table() -> None:
    with pytest.raises(ProgressError, match="ProgressTable must be set in the environment"):
        Progress()


def _everything() -> dict[str, Any]:
    return {
        "TableName": "jobs",
        "ConsistentRead": True,
        "FilterExpression": "begins_with(#id, :all)",
        "ExpressionAttributeNames": {"#id": "id"},
        "ExpressionAttributeValues": {":all": {"S": ""}},
    }
