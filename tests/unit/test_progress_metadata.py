"""What is kept with a job, by whoever works on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from bench.progress.dynamodb import SimulatedDynamoDb

from tests.simulation.interleaving import Caller, Fault, Stepped
from tests.unit.progress_table import client, clock, progress
from tests.unit.published import TOPIC, Sns
from watchbot.progress import InvalidValueError, Part, Progress, map_reduce
from watchbot.progress.table import Table
from watchbot.progress.topic import BATCH_BYTES, Topic

__all__ = ["client", "clock", "progress"]


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


@pytest.mark.parametrize("value", ["x" * 60_000, "\u2603" * 10_000])
def test_refuses_more_metadata_than_the_messages_of_a_job_may_hold(progress: Progress, value: str) -> None:
    progress.set_total("job", 1)
    progress.set_metadata("job", {"first": value})
    with pytest.raises(
        InvalidValueError,
        match=r"metadata must be at most 65536 bytes as JSON, with what the job has already, got '1200\d\d bytes'",
    ):
        progress.set_metadata("job", {"second": value})
    progress.set_metadata("job", {"first": "another"})
    progress.set_metadata("job", {"second": value})
    sns = Sns()
    assert Part({"jobid": "job", "partid": 1}, progress=progress, topic=Topic(sns, TOPIC)).complete()
    assert sns.messages == [{"jobid": "job", "metadata": {"first": "another", "second": value}}]


def test_as_much_metadata_as_may_be_fits_into_every_message(progress: Progress) -> None:
    most = {"a": "x" * (65_536 - len(json.dumps({"a": ""})))}
    sns = Sns()
    map_reduce([{}], job_id="\x01" * 1024, metadata=most, progress=progress, topic=Topic(sns, TOPIC))
    (message,) = sns.messages
    assert Part(message, progress=progress, topic=Topic(sns, TOPIC)).complete()
    assert max(len(one["Message"]) for one in sns.entries) < BATCH_BYTES / 3
    with pytest.raises(InvalidValueError, match="got '65546 bytes'"):
        progress.set_metadata("\x01" * 1024, {"b": 123})


def test_refuses_a_job_whose_metadata_cannot_be_kept_before_it_is_created(progress: Progress) -> None:
    with pytest.raises(InvalidValueError, match="metadata must be at most 65536 bytes as JSON"):
        map_reduce([{}], job_id="job", metadata={"a": "x" * 70_000}, progress=progress, topic=Topic(Sns(), TOPIC))
    assert [*progress.list()] == []


def test_metadata_that_is_set_at_once_is_all_kept_and_counted() -> None:
    table = Table(Stepped(SimulatedDynamoDb()), "jobs")
    Progress(table).set_total("job", 1)

    def sets(name: str) -> Callable[[], str]:
        def work() -> str:
            Progress(table).set_metadata("job", {name: "x" * 25_000})
            return name

        return work

    callers = [Caller(sets(name)) for name in ("a", "b", "c")]
    while any(not caller.ended for caller in callers):
        for caller in callers:
            if not caller.ended:
                caller.step(Fault.NONE)
    assert [type(caller.error) for caller in callers].count(InvalidValueError) == 1
    assert len(Progress(table).status("job").metadata or {}) == 2
