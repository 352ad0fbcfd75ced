"""Whatever order calls are made in, and whatever becomes of them: one caller is told that its part was the last."""

from __future__ import annotations

import itertools

import pytest
from bench.progress.dynamodb import SimulatedDynamoDb
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.simulation.interleaving import Caller, Fault, Stepped, kill
from watchbot.progress import OtherTotalError, Progress, TableError
from watchbot.progress import job as layout
from watchbot.progress.table import Table

AT_ONCE = 4
FAULTS = st.sampled_from([Fault.NONE] * 4 + [Fault.THROTTLED, Fault.LOST, Fault.REPEATED])


class Completing(RuleBasedStateMachine):
    """A job of a few parts in a few shards, completed by callers at once.

    They call again after an error, with the same object, until they are answered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        table = Table(Stepped(SimulatedDynamoDb()), "progress", wait=lambda _: None)
        self.progress = Progress(table)
        self.workers = [self.progress, Progress(table)]
        self.running: dict[Caller, int] = {}
        self.begun: set[int] = set()
        self.done: set[int] = set()
        self.told = 0

    @initialize(total=st.integers(1, 9), shards=st.integers(1, 4))
    def a_job_is_created(self, total: int, shards: int) -> None:
        self.patch.setattr(layout, "SHARDS", shards)
        self.total = total
        self.progress.set_total("job", total)

    @precondition(lambda self: len(self.running) < AT_ONCE)
    @rule(data=st.data(), worker=st.integers(0, 1))
    def a_part_is_completed(self, data: st.DataObject, worker: int) -> None:
        part = data.draw(st.integers(1, self.total))
        self.begin(part, worker)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), fault=FAULTS)
    def a_call_is_made(self, data: st.DataObject, fault: Fault) -> None:
        self.step(data.draw(st.sampled_from(list(self.running))), fault)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def a_worker_gets_its_answers(self, data: st.DataObject) -> None:
        self.finish(data.draw(st.sampled_from(list(self.running))))

    @rule()
    def the_start_is_tried_again(self) -> None:
        self.progress.set_total("job", self.total)
        with pytest.raises(OtherTotalError, match=f"has a total of {self.total}, and cannot get {self.total + 1}"):
            self.progress.set_total("job", self.total + 1)

    @invariant()
    def the_status_is_that_of_the_set(self) -> None:
        if not self.begun:
            return
        found = self.progress.status("job")
        assert _hundredths(len(self.done), self.total) <= found.progress <= _hundredths(len(self.begun), self.total)
        assert (found.progress == 1) <= (len(self.begun) == self.total)
        for part in range(1, self.total + 1):
            complete = self.progress.status("job", part).part_complete
            assert complete if part in self.done else part in self.begun or not complete

    @invariant()
    def last_is_told_once_at_most_and_never_early(self) -> None:
        assert self.told <= 1
        assert not self.told or len(self.begun) == self.total

    def begin(self, part: int, worker: int) -> None:
        self.begun.add(part)
        self.running[Caller(lambda: _until_answered(self.workers[worker], part))] = part

    def step(self, caller: Caller, fault: Fault) -> None:
        caller.step(fault)
        if caller.ended:
            assert caller.error is None
            self.done.add(self.running.pop(caller))
            self.told += caller.answer

    def finish(self, caller: Caller) -> None:
        """Go on to the end, with no answer to every third call: after two reads, that is each of the writes."""
        faults = itertools.cycle((Fault.NONE, Fault.NONE, Fault.LOST))
        while not caller.ended:
            self.step(caller, next(faults))

    def teardown(self) -> None:
        try:
            if not hasattr(self, "total"):
                return
            for part in [*range(1, self.total + 1), *range(1, self.total + 1)]:
                self.begin(part, worker=part % 2)
                while self.running:
                    self.finish(next(iter(self.running)))
            assert self.told == 1
            assert self.progress.status("job").progress == 1
        finally:
            kill(self.running)
            self.patch.undo()


def _hundredths(parts: int, total: int) -> float:
    return parts * 100 // total / 100


def _until_answered(progress: Progress, part: int) -> bool:
    while True:
        try:
            return progress.complete_part("job", part)
        except TableError:
            continue


TestCompleting = Completing.TestCase
TestCompleting.settings = settings(stateful_step_count=40, max_examples=150)
