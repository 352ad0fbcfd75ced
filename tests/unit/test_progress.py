"""The progress of jobs, on a DynamoDB of our own and on moto's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.progress_table import client, clock, progress
from watchbot.progress import (
    InvalidValueError,
    OtherTotalError,
    Progress,
    ProgressError,
    Status,
    TableError,
    UnknownJobError,
)
from watchbot.progress.job import Job
from watchbot.progress.table import Table

__all__ = ["client", "clock", "progress"]

TABLE = "arn:aws:dynamodb:eu-central-1:111122223333:table/jobs"


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
    assert progress.status("job", 4) == Status(progress=0.25, total=4, remaining=3, part_complete=True)


def test_refuses_another_total(progress: Progress) -> None:
    progress.set_total("job", 4)
    with pytest.raises(OtherTotalError, match="job 'job' has a total of 4, and cannot get 5: delete it, or take"):
        progress.set_total("job", 5)


def test_progress_is_rounded_down_and_never_1_early(progress: Progress) -> None:
    progress.set_total("job", 120)
    for part in range(1, 120):
        assert not progress.complete_part("job", part)
    assert progress.status("job", 120) == Status(progress=0.99, total=120, remaining=1, part_complete=False)
    assert progress.status("job", 1) == Status(progress=0.99, total=120, remaining=1, part_complete=True)
    assert progress.complete_part("job", 120)
    assert progress.status("job", 120) == Status(progress=1.0, total=120, remaining=0, part_complete=True)


_A_TENTH = {"progress": 0.1, "total": 10, "remaining": 9}


def test_the_status_of_a_job_says_what_is_known(progress: Progress) -> None:
    progress.set_total("job", 10)
    progress.complete_part("job", 1)
    assert progress.status("job").as_json() == _A_TENTH
    assert progress.status("job", 1).as_json() == {**_A_TENTH, "partComplete": True}
    assert progress.status("job", 2).as_json() == {**_A_TENTH, "partComplete": False}
    progress.set_metadata("job", {"colour": "red"})
    progress.fail_job("job", "out of paint")
    progress.reduce_sent("job")
    expected = {**_A_TENTH, "failed": "out of paint", "metadata": {"colour": "red"}, "reduceSent": True}
    assert progress.status("job").as_json() == expected


def test_a_finished_job_is_1_and_so_is_each_of_its_parts(progress: Progress) -> None:
    progress.set_total("job", 1)
    progress.complete_part("job", 1)
    assert progress.status("job", 1).as_json() == {"progress": 1, "total": 1, "remaining": 0, "partComplete": True}


def test_the_status_of_a_job_that_is_not_there_is_0(progress: Progress) -> None:
    assert progress.status("job").as_json() == {"progress": 0}


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


def test_ids_that_look_like_keys_of_ours_are_jobs_like_any_other(progress: Progress) -> None:
    ids = ["a", "job:a", "0:a", "metadata:a", "a:b/c#d", "\u2603" * 300]
    for job_id in ids:
        progress.set_total(job_id, 1)
    assert progress.complete_part("a", 1)
    assert {one.job_id: one.complete for one in progress.list()} == dict.fromkeys(ids, False) | {"a": True}


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


_CALLS: dict[str, Callable[[Progress], object]] = {
    "set_total": lambda progress: progress.set_total("job", 1),
    "complete_part": lambda progress: progress.complete_part("job", 1),
    "completion": lambda progress: progress.completion("job", 1),
    "status": lambda progress: progress.status("job"),
    "pending": lambda progress: progress.pending("job"),
    "set_metadata": lambda progress: progress.set_metadata("job", {"a": 1}),
    "fail_job": lambda progress: progress.fail_job("job", "reason"),
    "reduce_sent": lambda progress: progress.reduce_sent("job"),
    "list": lambda progress: [*progress.list()],
    "delete": lambda progress: progress.delete("job"),
    "job": lambda progress: progress.job("job"),
    "note_published": lambda progress: progress.note_published(Job.new("job", "born", 1, 0, 0)),
}


class _Refusing:
    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def refuse(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

        return refuse


@pytest.mark.parametrize("name", sorted(name for name in vars(Progress) if not name.startswith("_")))
def test_a_failing_database_is_a_sentence(name: str) -> None:
    with pytest.raises(TableError, match=r"table jobs: .*AccessDeniedException.* no"):
        _CALLS[name](Progress(Table(_Refusing(), "jobs")))
