"""Doing the parts of a job, and sending the reduce message, whatever becomes of the workers."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from bench.progress.dynamodb import SimulatedDynamoDb

from tests.simulation.interleaving import Caller, Fault, Stepped
from tests.unit.published import TOPIC, Sns
from watchbot.progress import InvalidValueError, JobFailed, NotPublishedError, Part, Progress, map_reduce
from watchbot.progress import job as layout
from watchbot.progress.table import Table
from watchbot.progress.topic import Topic


@pytest.fixture
def sns() -> Sns:
    return Sns()


@pytest.fixture
def topic(sns: Sns) -> Topic:
    return Topic(sns, TOPIC, wait=lambda _: None)


@pytest.fixture
def progress() -> Progress:
    return Progress(Table(SimulatedDynamoDb(), "jobs"))


def _message(part: int, **fields: Any) -> dict[str, Any]:
    return {"jobid": "job", "partid": part, **fields}


def test_the_last_part_sends_the_reduce_message_once(progress: Progress, topic: Topic, sns: Sns) -> None:
    progress.set_total("job", 2)
    progress.set_metadata("job", {"a": 1})
    for part in (1, 2, 2, 1):
        with Part(_message(part, tile=7), progress=progress, topic=topic) as one:
            assert (one.part, one.fields) == (part, {"tile": 7})
    assert [(one["Subject"], json.loads(one["Message"])) for one in sns.entries] == [
        ("reduce", {"jobid": "job", "metadata": {"a": 1}})
    ]
    assert progress.status("job").reduce_sent


@pytest.mark.parametrize("field", sorted({*inspect.signature(Part.__init__).parameters, "job_id", "part", "fields"}))
def test_a_field_of_a_part_is_never_an_argument_of_ours(field: str, progress: Progress, topic: Topic, sns: Sns) -> None:
    map_reduce([{field: "theirs"}], job_id="job", progress=progress, topic=topic)
    (message,) = sns.messages
    with Part(message, progress=progress, topic=topic) as part:
        assert part.fields == {field: "theirs"}
    assert [one["Subject"] for one in sns.entries] == ["map", "reduce"]


@pytest.mark.parametrize("message", [{"jobid": "job"}, {"partid": 1}, "job", None])
def test_refuses_a_message_that_names_no_part(progress: Progress, message: Any) -> None:
    with pytest.raises(InvalidValueError, match="message must be a JSON object with jobid and partid, got "):
        Part(message, progress=progress)


def test_refuses_metadata_that_is_no_object(progress: Progress) -> None:
    with pytest.raises(InvalidValueError, match=r"metadata must be a JSON object, got \[1\]"):
        Part(_message(1, metadata=[1]), progress=progress)


@pytest.mark.parametrize("code", [0, None, False])
def test_a_worker_that_exits_with_0_in_its_part_has_done_it(progress: Progress, code: int | None) -> None:
    progress.set_total("job", 1)
    sent: list[str] = []
    with pytest.raises(SystemExit), Part(_message(1), progress=progress, on_reduce=lambda job, _: sent.append(job)):
        sys.exit(code)
    assert sent == ["job"]


@pytest.mark.parametrize("code", [1, 3, "out of paint", "", 0.0, [], True])
def test_a_worker_that_exits_otherwise_has_not(progress: Progress, code: Any) -> None:
    """Python exits with 1 for each of them: an error that says nothing ended a job as if its part were done."""
    progress.set_total("job", 1)
    with pytest.raises(SystemExit), Part(_message(1), progress=progress):
        sys.exit(code)
    assert progress.status("job", 1).part_complete is False


@pytest.mark.parametrize("dies", [KeyboardInterrupt, NotPublishedError])
def test_a_reduce_message_that_was_not_sent_is_sent_when_the_part_is_done_again(
    progress: Progress, dies: type[BaseException]
) -> None:
    progress.set_total("job", 1)
    sent: list[str] = []

    def on_reduce(job_id: str, _: Mapping[str, Any]) -> None:
        if not failed:
            failed.append(True)
            raise dies
        sent.append(job_id)

    failed: list[bool] = []
    with pytest.raises(dies), Part(_message(1), progress=progress, on_reduce=on_reduce):
        pass
    assert not progress.status("job").reduce_sent
    for _ in range(2):
        with Part(_message(1), progress=Progress(progress._table), on_reduce=on_reduce):
            pass
    assert sent == ["job"]
    assert progress.status("job").reduce_sent


def test_a_reduce_message_that_sns_refused_is_sent_when_the_part_is_done_again(
    progress: Progress, topic: Topic, sns: Sns
) -> None:
    progress.set_total("job", 1)
    sns.fails = {None: "refused"}  # type: ignore[dict-item]  # a reduce message has no part
    with pytest.raises(NotPublishedError, match="did not take 1 of 1 messages"):
        Part(_message(1), progress=progress, topic=topic).complete()
    sns.fails = {}
    assert [Part(_message(1), progress=progress, topic=topic).complete() for _ in range(2)] == [True, False]
    assert [one["Subject"] for one in sns.entries] == ["reduce"]


def test_a_late_copy_that_completes_the_job_and_dies_takes_no_reduce_message_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layout, "SHARDS", 1)
    table = Table(Stepped(SimulatedDynamoDb()), "jobs")
    progress = Progress(table)
    progress.set_total("job", 2)
    progress.complete_part("job", 1)  # and its message was deleted
    sent: list[int] = []

    def do(part: int, progress: Progress) -> bool:
        with Part(_message(part), progress=progress, on_reduce=lambda *_: sent.append(part)):
            return True

    filling = Caller(lambda: do(2, Progress(table)))
    for _ in range(4):  # it reads the head twice, reads the shard and fills it
        filling.step(Fault.NONE)
    assert Progress(table).completion("job", 1).last  # a copy of the first part's message tells the head, and dies
    while not filling.ended:
        filling.step(Fault.NONE)
    assert sent == [2]


def test_a_worker_that_died_before_sending_sends_when_its_message_comes_back_and_no_other_does(
    progress: Progress,
) -> None:
    progress.set_total("job", 2)
    progress.complete_part("job", 1)
    assert progress.complete_part("job", 2)
    sent: list[int] = []
    for part in (1, 2, 2):
        with Part(_message(part), progress=progress, on_reduce=lambda *_, part=part: sent.append(part)):
            pass
    assert sent == [2]


def test_a_job_that_was_failed_while_its_last_part_ran_has_no_reduce_message(
    progress: Progress, topic: Topic, sns: Sns
) -> None:
    progress.set_total("job", 1)
    with Part(_message(1), progress=progress, topic=topic):
        progress.fail_job("job", "called off")
    assert not Part(_message(1), progress=progress, topic=topic).complete()
    assert sns.entries == []


def test_chosen_errors_fail_the_job_and_its_other_parts_do_not_begin(progress: Progress) -> None:
    progress.set_total("job", 2)
    with pytest.raises(KeyError), Part(_message(1), progress=progress, fail_job_on=ValueError):
        raise KeyError("passing")
    assert progress.status("job", 1).part_complete is False
    with pytest.raises(ValueError, match="broken"), Part(_message(1), progress=progress, fail_job_on=ValueError):
        raise ValueError("broken")
    assert progress.status("job").failed == "part 1: ValueError: broken"
    with pytest.raises(JobFailed, match="job 'job' has failed: part 1: ValueError: broken"):
        Part(_message(2), progress=progress).__enter__()
