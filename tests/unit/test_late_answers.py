"""SQS acts before it answers: what is received in between is a receive of its own, and none is lost or repeated."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable

import pytest

from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.backoff import Backoff
from watchbot.job import Job
from watchbot.notice import Bug, HandedBack, JobFinished, JobStarted, LeaseLost
from watchbot.settlement import DeadLetter, Delete
from watchbot.sqs import SqsError


def _second(job: Job) -> Work:
    return Work(1)


def _now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("fifo", [False, True])
def test_a_message_received_while_it_is_returned_runs_again(fifo: bool) -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs(fifo=fifo)
        sqs.answers["return"] = 5
        sqs.put("x", group="g")
        codes = itertools.chain([1, 1], itertools.repeat(0))
        runner = SimulatedRunner(lambda job: Work(1, next(codes)), workers=3)
        watch = Watch(sqs, runner, backoff=Backoff(base=0))
        await watch.after(30)
        assert runner.texts == ["x", "x", "x"]
        assert len(watch.told(JobFinished)) == 3
        assert watch.told(Bug) == watch.told(LeaseLost) == []
        assert await watch.stopped() == 0
        return sqs

    sqs = run_virtual(scenario())
    assert len(sqs.ever["m1"].receives) == 3
    assert sqs.deleted["m1"] < 5


def test_a_group_goes_on_in_its_order_while_its_returns_are_answered_late() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs(fifo=True)
        sqs.answers["return"] = 3
        sqs.put(*"abcdefghijklm", group="g")
        codes = {"b": itertools.chain([1, 4], itertools.repeat(0)), "f": itertools.chain([1], itertools.repeat(0))}
        runner = SimulatedRunner(lambda job: Work(0.5, next(codes.get(job.text or "", iter([0])))), workers=4)
        watch = Watch(sqs, runner, backoff=Backoff(base=0))
        await watch.after(120)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert sqs.stored == {}
    assert "".join(runner.texts) == "abbbcdeffghijklm"
    assert runner.most_at_once == 1


@pytest.mark.parametrize(("name", "code"), [("delete", 0), ("send", 5), ("delete", 5)])
def test_a_message_received_while_it_is_removed_is_removed_by_its_newest_receive(name: str, code: int) -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs(visibility_seconds=10)
        sqs.put("x")
        # Heartbeats that fail end the lease while the job runs, and every answer is late.
        sqs.fault = lambda call, number: SqsError("unreachable") if call == "heartbeat" else None
        sqs.answers[name] = 8
        runner = SimulatedRunner(lambda job: Work(9, code), workers=3)
        watch = Watch(sqs, runner)
        await watch.after(200)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert len(runner.ran) == 1
    assert sqs.stored == {}
    assert len(sqs.dead_letters) == (1 if code else 0)


@pytest.mark.parametrize("workers", [1, 4])
def test_one_stop_costs_a_message_at_most_one_receive(workers: int) -> None:
    async def scenario() -> tuple[SimulatedSqs, float]:
        sqs = SimulatedSqs(fifo=True)
        sqs.answers["return"] = 0.5
        for group in "ab":
            sqs.put(*["x"] * 6, group=group)
        watch = Watch(sqs, SimulatedRunner(_second, workers=workers))
        await watch.after(1.5)
        await watch.stopped()
        return sqs, _now()

    sqs, stopped_at = run_virtual(scenario())
    assert len(sqs.stored) in (8, 10)
    assert all(len(one.receives) <= 1 for one in sqs.stored.values())
    assert all(one.visible_at <= stopped_at for one in sqs.stored.values())


def test_a_drain_keeps_what_waits_until_no_poll_can_take_it() -> None:
    async def scenario() -> tuple[SimulatedSqs, Watch, float]:
        sqs = SimulatedSqs(fifo=True)
        sqs.put(*["100"] * 3, group="a")
        watch = Watch(sqs, SimulatedRunner(_second, workers=4))
        await watch.after(0.5)
        stopping = asyncio.create_task(watch.stopped())
        await watch.after(10)
        assert watch.told(HandedBack) == []
        assert all(one.visible_at > _now() for one in sqs.stored.values())
        await stopping
        return sqs, watch, _now()

    sqs, watch, stopped_at = run_virtual(scenario())
    assert len(watch.told(HandedBack)) == 2
    assert stopped_at < 22
    assert all(one.visible_at <= stopped_at and len(one.receives) == 1 for one in sqs.stored.values())


def test_a_task_watcher_that_stops_returns_at_once_what_stays_away_for_longer_than_its_poll() -> None:
    async def scenario() -> tuple[SimulatedSqs, float]:
        sqs = SimulatedSqs()
        sqs.poll_seconds = 9
        sqs.put("x")
        codes = iter([4])
        runner = SimulatedRunner(lambda job: Work(1, next(codes)), workers=2)
        watch = Watch(sqs, runner, backoff=Backoff(base=10))
        await watch.after(0.5)
        stopping = asyncio.create_task(watch.stopped())
        await watch.after(1)
        assert sqs.stored["m1"].returned == [10]
        await stopping
        return sqs, _now()

    sqs, stopped_at = run_virtual(scenario())
    assert stopped_at < 10
    assert len(sqs.stored["m1"].receives) == 1


@pytest.mark.parametrize(("code", "settled"), [(0, Delete), (3, Delete), (5, DeadLetter)])
@pytest.mark.parametrize("fifo", [True, False])
def test_a_finished_job_is_recognised_after_its_lease_was_lost(code: int, settled: type, fifo: bool) -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs(visibility_seconds=30, fifo=fifo)
        sqs.put("x", "y", group="g")
        runner = SimulatedRunner(lambda job: Work(10, code if job.text == "x" else 0))
        watch = Watch(sqs, runner)
        await watch.after(9.9)
        # As after SIGSTOP: the lease has ended, and nothing here was awake to see it.
        next(lease for lease in watch.watcher._held.values()).lost = True
        sqs.stored["m1"].visible_at = 40
        await watch.after(120)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert runner.texts.count("x") == 1
    assert sqs.stored == {}
    assert len(sqs.dead_letters) == (1 if settled is DeadLetter else 0)


def test_a_job_that_no_letter_can_be_sent_of_is_not_repeated() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs()
        sqs.put("x")
        sqs.fault = lambda call, number: (
            SqsError("denied", code="AccessDenied", refused=True) if call == "send" and _now() < 100 else None
        )
        runner = SimulatedRunner(lambda job: Work(1, 5))
        watch = Watch(sqs, runner)
        await watch.after(300)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert len(runner.ran) == 1
    assert len(sqs.dead_letters) == 1
    assert sqs.stored == {}


def _drawn(seed: int) -> tuple[SimulatedSqs, Callable[[Job], Work], random.Random]:
    """Draw a queue whose answers are late, messages of some groups, and workers that fail and take their time."""
    chance = random.Random(seed)
    sqs = SimulatedSqs(fifo=chance.random() < 0.6, visibility_seconds=chance.choice([12, 30, 180]))
    for name in ("receive", "return", "delete", "send", "heartbeat"):
        sqs.answers[name] = chance.choice([0.0, 0.02, 0.2, 1.5])
    for number in range(chance.randint(3, 25)):
        sqs.put(str(number), group=chance.choice("abc"))

    def work(job: Job) -> Work:
        return Work(chance.choice([0.0, 0.1, 1.0, 7.0]), chance.choice([0, 0, 0, 3, 4, 1, 5]))

    return sqs, work, chance


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_hidden_lost_repeated_or_overtaken_however_late_answers_are(seed: int) -> None:
    async def scenario() -> None:
        sqs, work, chance = _drawn(seed)
        order: list[str] = []
        for stop_after in (chance.uniform(0, 20), chance.uniform(0, 20), 20_000):
            runner = SimulatedRunner(work, workers=chance.randint(1, 12))
            before = {name: len(one.receives) for name, one in sqs.stored.items()}
            watch = Watch(
                sqs, runner, backoff=Backoff(base=chance.choice([0, 1.5])), max_polls=2, max_receive_count=10_000
            )
            await watch.after(stop_after)
            stop_at = _now()
            assert await watch.stopped() == 0
            assert watch.told(Bug) == watch.told(LeaseLost) == []
            for notice in watch.notices:
                if isinstance(notice, JobStarted):
                    assert notice.message.message_id not in order, "finished work was run again"
                if isinstance(notice, JobFinished) and isinstance(notice.settlement, Delete | DeadLetter):
                    order.append(notice.message.message_id)
            for name, one in sqs.stored.items():
                wasted = sum(at > stop_at for at in one.receives)
                assert wasted <= 1, "one stop cost a message more than one receive"
                longest = max([0, *one.returned[-1:]])
                assert one.visible_at - _now() <= longest, "a message is hidden though nobody holds it"
                assert before[name] <= len(one.receives)
        assert sqs.stored == {}
        assert sorted(order) == sorted(sqs.ever)
        if sqs.fifo:
            for group in "abc":
                numbers = [int(name[1:]) for name in order if sqs.ever[name].group == group]
                assert numbers == sorted(numbers), "a message overtook another one of its group"

    run_virtual(scenario())
