"""What people ask of jobs: which there are, what they wait for, and to forget them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.progress_table import NOW, Clock, client, clock, progress
from watchbot.contract import PROGRESS_EXPIRY, PROGRESS_KEEP_SECONDS
from watchbot.progress import Progress, Status, UnknownJobError

__all__ = ["client", "clock", "progress"]


@pytest.mark.parametrize("total", [1, 5, 198, 199, 500])
def test_the_parts_that_are_not_done_are_told_in_order(progress: Progress, total: int) -> None:
    progress.set_total("job", total)
    assert [*progress.pending("job")] == [*range(1, total + 1)]
    left = sorted({1, total // 2 + 1, total})
    for part in range(1, total + 1):
        if part not in left:
            progress.complete_part("job", part)
    assert [*progress.pending("job")] == left
    assert progress.status("job").remaining == len(left)
    for part in left:
        progress.complete_part("job", part)
    assert [*progress.pending("job")] == []
    assert progress.status("job").remaining == 0


def test_the_first_parts_that_are_not_done_are_found_without_looking_for_all(progress: Progress) -> None:
    progress.set_total("job", 10_000_000)
    progress.complete_part("job", 2)
    assert [*itertools.islice(progress.pending("job"), 3)] == [1, 3, 4]


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
    assert progress.status("job") == Status(progress=0.0, total=2, remaining=2)


def test_what_a_deletion_left_behind_is_no_part_of_a_later_job(progress: Progress, client: Any) -> None:
    progress.set_total("job", 2)
    progress.complete_part("job", 1)
    client.batch_write_item(RequestItems={"jobs": [{"DeleteRequest": {"Key": {"id": {"S": "job:job"}}}}]})
    progress.set_total("job", 2)
    assert progress.status("job", 1) == Status(progress=0.0, total=2, remaining=2, part_complete=False)
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
    assert progress.status("job", 1) == Status(progress=0.0, total=5, remaining=5, part_complete=False)


_CALLS: dict[str, Callable[[Progress], object]] = {
    "complete_part": lambda progress: progress.complete_part("job", 2),
    "pending": lambda progress: progress.pending("job"),
    "set_metadata": lambda progress: progress.set_metadata("job", {"b": 2}),
    "fail_job": lambda progress: progress.fail_job("job", "reason"),
    "reduce_sent": lambda progress: progress.reduce_sent("job"),
    "delete": lambda progress: progress.delete("job"),
    "job": lambda progress: progress.job("job"),
}


@pytest.mark.parametrize("name", _CALLS)
def test_an_expired_job_that_is_still_shown_is_no_job(name: str, progress: Progress, clock: Clock) -> None:
    progress.set_total("job", 2)
    progress.complete_part("job", 1)
    clock.now += PROGRESS_KEEP_SECONDS
    with pytest.raises(UnknownJobError):
        _CALLS[name](progress)
    assert progress.status("job") == Status(progress=0.0)
    assert [*progress.list()] == []


def _everything() -> dict[str, Any]:
    return {
        "TableName": "jobs",
        "ConsistentRead": True,
        "FilterExpression": "begins_with(#id, :all)",
        "ExpressionAttributeNames": {"#id": "id"},
        "ExpressionAttributeValues": {":all": {"S": ""}},
    }
