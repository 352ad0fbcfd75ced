"""Whatever becomes of the workers of a job's last parts, its reduce message is sent, and seldom twice."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.property.reducing_workers import ReducingWorkers
from tests.simulation.interleaving import Caller, Fault
from watchbot.progress import Part, Progress, bitmap
from watchbot.progress.job import Job

AT_ONCE = 4
FAULTS = st.sampled_from([Fault.NONE] * 4 + [Fault.THROTTLED, Fault.LOST, Fault.REPEATED, Fault.KILLED])
STRETCHES = 5
"""Of a worker: up to the first of its four writes, from each to the next, and from the last to its end."""


class Reducing(RuleBasedStateMachine):
    """Messages of a job that is nearly done, and copies of them at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.workers: ReducingWorkers | None = None

    @initialize(data=st.data(), total=st.integers(1, 6), shards=st.integers(1, 3), all_are_lost=st.booleans())
    def all_parts_but_one_or_two_are_done(
        self, data: st.DataObject, total: int, shards: int, all_are_lost: bool
    ) -> None:
        self.all_are_lost = all_are_lost
        left = data.draw(st.sets(st.integers(1, total), min_size=1, max_size=2))
        self.workers = ReducingWorkers(total, shards, left)

    @precondition(lambda self: len(self.workers.running) < AT_ONCE)
    @rule(data=st.data(), stretches=st.integers(1, STRETCHES - 1))
    def a_message_is_received_and_its_worker_comes_to_a_write(self, data: st.DataObject, stretches: int) -> None:
        assert self.workers is not None
        caller = self.workers.start(data.draw(st.sampled_from([*self.workers.left, *self.workers.parts])))
        for _ in range(stretches):
            self.workers.go_on(caller)

    @precondition(lambda self: self.workers.running)
    @rule(data=st.data(), fault=FAULTS)
    def a_call_is_made(self, data: st.DataObject, fault: Fault) -> None:
        assert self.workers is not None
        self.workers.step(self.chosen(data), fault)

    @precondition(lambda self: self.workers.running)
    @rule(data=st.data())
    def a_worker_comes_to_its_end(self, data: st.DataObject) -> None:
        assert self.workers is not None
        self.workers.finish(self.chosen(data))

    @invariant()
    def one_part_sends_and_again_only_when_it_cannot_know(self) -> None:
        if self.workers is not None:
            self.workers.check()

    def chosen(self, data: st.DataObject) -> Caller:
        assert self.workers is not None
        return data.draw(st.sampled_from(list(self.workers.running)))

    def teardown(self) -> None:
        if self.workers is None:
            return
        try:
            for caller in list(self.workers.running) if self.all_are_lost else ():
                self.workers.finish(caller, Fault.KILLED)
            self.workers.end()
        finally:
            self.workers.close()


TestReducing = Reducing.TestCase
TestReducing.settings = settings(stateful_step_count=20, max_examples=150)

JOBS = {
    "the last part, and a late copy of one that is done": (2, 1, {2}, (2, 1)),
    "the last part, twice": (2, 1, {2}, (2, 2)),
    "the last two parts of one shard": (2, 1, {1, 2}, (1, 2)),
    "the last two parts of two shards": (2, 2, {1, 2}, (1, 2)),
    "the last part of one shard, and a late copy of one of another": (4, 2, {2}, (2, 1)),
}
"""Total, shards, the parts that are left, and the parts of the two workers."""


def orders() -> Iterator[tuple[int, ...]]:
    """Give each order of the stretches of two workers; who has less than all of them dies after the last it has."""
    for first, second in itertools.product(range(STRETCHES + 1), repeat=2):
        for places in itertools.combinations(range(first + second), first):
            yield tuple(0 if place in places else 1 for place in range(first + second))


def do_job(total: int, shards: int, left: set[int], parts: tuple[int, int], order: tuple[int, ...]) -> None:
    with contextlib.closing(ReducingWorkers(total, shards, left)) as workers:
        callers = [workers.start(part) for part in parts]
        for number in order:
            workers.go_on(callers[number])
        for number, caller in enumerate(callers):
            workers.finish(caller, Fault.NONE if order.count(number) == STRETCHES else Fault.KILLED)
        workers.end()


@pytest.mark.parametrize("job", [*JOBS][-2:])
def test_the_reduce_message_is_sent_in_whatever_order_two_workers_write_and_wherever_they_die(job: str) -> None:
    for order in orders():
        do_job(*JOBS[job], order)


def _do_all() -> None:
    for job, order in itertools.product(JOBS.values(), orders()):
        do_job(*job, order)


# What is to be found: tests that never get there are worth nothing.

_send, _set_bit = Part._send_reduce, Progress._set_bit


def _only_the_last_sends(self: Part) -> bool:
    if last := self._progress.completion(self.job_id, self.part).last:
        _send(self)
    return last


def _whoever_finds_it_complete_sends(self: Part) -> bool:
    done = self._progress.completion(self.job_id, self.part)
    if sends := done.complete and not done.reduce_sent:
        _send(self)
    return sends


def _noted_before_it_is_sent(self: Part) -> None:
    self._progress.reduce_sent(self.job_id)
    _send(self)


def _never_noted(_self: Progress, _job_id: str) -> bool:
    return True


def _whoever_tells_the_head_sends(self: Progress, job: Job, shard: int, bit: int, part: int) -> int | None:
    return None if _set_bit(self, job, shard, bit, part) is None else part


def _only_who_fills_a_shard_tells_it(self: Progress, job: Job, shard: int, bit: int, part: int) -> int | None:
    item = self._table.get(job.shard_key(shard))
    if item is not None and bitmap.is_set(item["bits"], bit):
        return None
    return _set_bit(self, job, shard, bit, part)


MISTAKES = {
    _only_the_last_sends: (Part, "complete"),
    _whoever_finds_it_complete_sends: (Part, "complete"),
    _noted_before_it_is_sent: (Part, "_send_reduce"),
    _never_noted: (Progress, "reduce_sent"),
    _whoever_tells_the_head_sends: (Progress, "_set_bit"),
    _only_who_fills_a_shard_tells_it: (Progress, "_set_bit"),
}
RARE = {_whoever_tells_the_head_sends}
"""It takes two deaths, each at one call of many: in about one of a thousand of the machine's examples."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_some_order_of_two_workers_shows_a_mistake(
    mistake: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*MISTAKES[mistake], mistake)
    with pytest.raises(AssertionError):
        _do_all()


@pytest.mark.parametrize("mistake", [mistake for mistake in MISTAKES if mistake not in RARE])
def test_the_machine_finds_a_mistake(mistake: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*MISTAKES[mistake], mistake)
    found = settings(TestReducing.settings, phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Reducing, settings=found)
