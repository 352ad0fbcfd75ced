"""Starting a job, on a topic and a table of our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bench.progress.dynamodb import SimulatedDynamoDb

from tests.unit.published import TOPIC, Sns
from watchbot.progress import InvalidValueError, NotPublishedError, Progress, map_reduce
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


def test_every_part_gets_a_message_and_they_go_ten_at_a_time(progress: Progress, topic: Topic, sns: Sns) -> None:
    parts = [{"tile": number} for number in range(25)]
    assert map_reduce(parts, job_id="job", metadata={"a": 1}, progress=progress, topic=topic) == "job"
    expected = [{"tile": n, "jobid": "job", "partid": n + 1, "metadata": {"a": 1}} for n in range(25)]
    assert sns.messages == expected
    assert sorted(sns.batches) == [5, 10, 10]
    assert {one["Subject"] for one in sns.entries} == {"map"}
    assert progress.status("job").metadata == {"a": 1}


def test_a_retried_message_continues_the_job_it_began(
    progress: Progress, topic: Topic, sns: Sns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MessageId", "m-1")

    def dies_at(part: int) -> Iterator[dict[str, int]]:
        for number in range(1, 501):
            if number == part:
                raise KeyboardInterrupt
            yield {"n": number}

    with pytest.raises(KeyboardInterrupt):
        map_reduce(dies_at(400), total=500, progress=progress, topic=topic)
    published = len(sns.entries)
    assert 320 <= published < 400
    assert map_reduce(dies_at(0), total=500, progress=progress, topic=topic) == "m-1"
    assert {one["partid"] for one in sns.messages} == set(range(1, 501))
    assert len(sns.entries) == 500 + published - 320  # two whole windows of 160 were noted
    map_reduce(dies_at(0), total=500, progress=progress, topic=topic)
    assert len(sns.entries) == 500 + published - 320


def test_what_sns_did_not_take_of_a_window_is_published_by_a_retry(progress: Progress, topic: Topic, sns: Sns) -> None:
    parts = [{"n": number} for number in range(1, 501)]
    sns.fails = {200: "refused"}  # in the second window of 160
    with pytest.raises(NotPublishedError, match="did not take 1 of 10 messages"):
        map_reduce(parts, job_id="job", progress=progress, topic=topic)
    sns.fails = {}
    map_reduce(parts, job_id="job", progress=progress, topic=topic)
    assert {one["partid"] for one in sns.messages} == set(range(1, 501))


def test_what_sns_puts_off_is_published_again_and_alone(progress: Progress, topic: Topic, sns: Sns) -> None:
    sns.fails = {3: 2}
    map_reduce([{}] * 10, job_id="job", progress=progress, topic=topic)
    assert sns.batches == [10, 1, 1]
    assert len(sns.entries) == 10


@pytest.mark.parametrize(("fails", "tries"), [(100, 8), ("refused", 1)])
def test_a_message_that_sns_does_not_take_is_an_error(
    progress: Progress, topic: Topic, sns: Sns, fails: Any, tries: int
) -> None:
    sns.fails = {2: fails}
    with pytest.raises(NotPublishedError, match=r"did not take 1 of 3 messages \(InternalError: \): .*\"partid\": 2"):
        map_reduce([{}] * 3, job_id="job", progress=progress, topic=topic)
    assert len(sns.batches) == tries


def test_large_messages_share_a_batch_only_as_far_as_it_holds_them(progress: Progress, topic: Topic, sns: Sns) -> None:
    map_reduce([{"x": "x" * 100_000}] * 5, job_id="job", progress=progress, topic=topic)
    assert sorted(sns.batches) == [1, 2, 2]
    with pytest.raises(NotPublishedError, match="a message must have at most 262144 bytes, got 3"):
        map_reduce([{"x": "x" * 300_000}], job_id="other", progress=progress, topic=topic)


@pytest.mark.parametrize(
    ("parts", "total", "problem"),
    [
        ([], None, "total must be a whole number from 1"),
        (({} for _ in range(2)), None, "total must be given, since these parts have no length"),
        ([{}], 2, "parts must be as many as the total, which is 2, got 1"),
        ([{}] * 3, 2, "parts must be as many as the total, which is 2, got 'more than 2'"),
        ([{"jobid": 1}], None, "part 1 must be without jobid"),
        ([7], None, "part 1 must be a JSON object, got 7"),
        ([{"a": {1}}], None, "part 1 must be what JSON can hold"),
    ],
)
def test_refuses_parts_that_cannot_be(
    progress: Progress, topic: Topic, parts: Any, total: int | None, problem: str
) -> None:
    with pytest.raises(InvalidValueError, match=problem):
        map_reduce(parts, job_id="job", total=total, progress=progress, topic=topic)


def test_on_a_fifo_topic_every_part_is_a_group_and_a_repeat_is_dropped(progress: Progress, sns: Sns) -> None:
    map_reduce([{}] * 20, job_id="job", progress=progress, topic=Topic(sns, f"{TOPIC}.fifo"))
    assert len({one["MessageGroupId"] for one in sns.entries}) == 20
    assert all(one["MessageGroupId"] == one["MessageDeduplicationId"] for one in sns.entries)
