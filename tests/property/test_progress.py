"""Whatever order calls are made in, and whatever becomes of them: one caller is told that its part was the last."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from bench.progress.dynamodb import SimulatedDynamoDb
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.simulation.interleaving import Caller, Fault, SteppedDynamoDb
from watchbot.progress import OtherTotalError, Part, Progress, TableError
from watchbot.progress import job as layout
from watchbot.progress.table import Table

AT_ONCE = 4
FAULTS = st.sampled_from([Fault.NONE] * 4 + [Fault.THROTTLED, Fault.LOST, Fault.REPEATED])


class Machine(RuleBasedStateMachine):
    """A job of a few parts in a few shards, and workers whose calls are under way at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.database = SimulatedDynamoDb()
        self.table = Table(SteppedDynamoDb(self.database), "progress", wait=lambda _: None)
        self.progress = Progress(self.table)
        self.running: dict[Caller, int] = {}

    @initialize(total=st.integers(1, 9), shards=st.integers(1, 4))
    def a_job_is_created(self, total: int, shards: int) -> None:
        self.patch.setattr(layout, "SHARDS", shards)
        self.total = total
        self.progress.set_total("job", total)

    def chosen(self, data: st.DataObject) -> Caller:
        return data.draw(st.sampled_from(list(self.running)))

    def in_order(self) -> Iterator[Caller]:
        while self.running:
            yield next(iter(self.running))

    def teardown(self) -> None:
        for caller in list(self.running):
            while not caller.ended:
                caller.step(Fault.KILLED)
        self.patch.undo()


class Completing(Machine):
    """Workers that call again after an error, with the same object, until they are answered."""

    def __init__(self) -> None:
        super().__init__()
        self.workers = [self.progress, Progress(self.table)]
        self.begun: set[int] = set()
        self.done: set[int] = set()
        self.told = 0

    @precondition(lambda self: len(self.running) < AT_ONCE)
    @rule(data=st.data(), worker=st.integers(0, 1))
    def a_part_is_completed(self, data: st.DataObject, worker: int) -> None:
        part = data.draw(st.integers(1, self.total))
        self.begin(part, worker)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), fault=FAULTS)
    def a_call_is_made(self, data: st.DataObject, fault: Fault) -> None:
        self.step(self.chosen(data), fault)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def a_worker_gets_its_answers(self, data: st.DataObject) -> None:
        self.finish(self.chosen(data))

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
                for caller in self.in_order():
                    self.finish(caller)
            assert self.told == 1
            assert self.progress.status("job").progress == 1
        finally:
            super().teardown()


class Reducing(Machine):
    """Messages that come back until their worker has ended without an error; workers may die at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: set[int] = set()
        self.sent: list[Caller] = []
        self.lost_after_sending = 0

    @precondition(lambda self: len(self.running) < AT_ONCE)
    @rule(data=st.data())
    def a_message_is_received(self, data: st.DataObject) -> None:
        left = [part for part in range(1, self.total + 1) if part not in self.finished | set(self.running.values())]
        if left:
            self.start(data.draw(st.sampled_from(left)))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), fault=FAULTS | st.just(Fault.KILLED))
    def a_call_is_made(self, data: st.DataObject, fault: Fault) -> None:
        self.step(self.chosen(data), fault)

    @invariant()
    def reduce_is_sent_again_only_by_those_who_could_not_know(self) -> None:
        assert len(self.sent) <= 1 + self.lost_after_sending

    def start(self, part: int) -> None:
        started: list[Caller] = []

        def work() -> bool:
            with Part("job", part, progress=self.progress, on_reduce=lambda *_: self.sent.append(started[0])):
                return True

        caller = Caller(work)
        started.append(caller)
        self.running[caller] = part

    def step(self, caller: Caller, fault: Fault) -> None:
        caller.step(fault)
        if not caller.ended:
            return
        part = self.running.pop(caller)
        if caller.answer:
            self.finished.add(part)
        else:
            assert caller.dead or isinstance(caller.error, TableError)
            self.lost_after_sending += caller in self.sent

    def teardown(self) -> None:
        try:
            if not hasattr(self, "total"):
                return
            for part in range(1, self.total + 1):
                for caller in self.in_order():
                    self.step(caller, Fault.NONE)
                if part not in self.finished:
                    self.start(part)
            for caller in self.in_order():
                self.step(caller, Fault.NONE)
            assert 1 <= len(self.sent) <= 1 + self.lost_after_sending
            assert self.progress.status("job").reduce_sent
        finally:
            super().teardown()


def _hundredths(parts: int, total: int) -> float:
    return parts * 100 // total / 100


def _until_answered(progress: Progress, part: int) -> bool:
    while True:
        try:
            return progress.complete_part("job", part)
        except TableError:
            continue


TestCompleting = Completing.TestCase
TestReducing = Reducing.TestCase
TestCompleting.settings = settings(stateful_step_count=40, max_examples=150)
TestReducing.settings = settings(stateful_step_count=40, max_examples=150)
