"""What callers are told who got an error from an earlier call: its writes may have been made."""

from __future__ import annotations

import pytest
from bench.progress.dynamodb import SimulatedDynamoDb

from tests.simulation.interleaving import Caller, Fault, Stepped
from watchbot.progress import Progress, TableError
from watchbot.progress.table import Table


@pytest.fixture
def progress() -> Progress:
    progress = Progress(Table(Stepped(SimulatedDynamoDb()), "jobs"))
    progress.set_total("job", 1)
    return progress


def _steps(caller: Caller, *faults: Fault) -> None:
    for fault in faults:
        caller.step(fault)


def test_two_callers_of_one_part_who_lose_their_answers_are_told_once_that_it_was_the_last(progress: Progress) -> None:
    first, second = (Caller(lambda: progress.complete_part("job", 1)) for _ in range(2))
    # The first reads the head and the shard, fills the shard, and tells the head so, without an answer.
    _steps(first, Fault.NONE, Fault.NONE, Fault.NONE, Fault.LOST)
    _steps(second, Fault.THROTTLED)
    assert isinstance(first.error, TableError)
    assert isinstance(second.error, TableError)
    assert [progress.complete_part("job", 1) for _ in range(3)] == [True, False, False]


def test_two_callers_who_lose_the_answer_that_reduce_was_sent_are_told_once(progress: Progress) -> None:
    first, second = (Caller(lambda: progress.reduce_sent("job")) for _ in range(2))
    _steps(first, Fault.LOST)
    _steps(second, Fault.THROTTLED)
    assert [progress.reduce_sent("job") for _ in range(3)] == [True, False, False]


def test_an_answer_that_is_lost_again_is_told_later(progress: Progress) -> None:
    lost = Caller(lambda: progress.complete_part("job", 1))
    _steps(lost, Fault.NONE, Fault.NONE, Fault.NONE, Fault.LOST)
    again = Caller(lambda: progress.complete_part("job", 1))
    _steps(again, Fault.LOST)
    assert [progress.complete_part("job", 1) for _ in range(2)] == [True, False]
