"""A thousand tasks of one watcher: followed, found again and let go with few calls, within the account's limits."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.call_budget import CallBudget
from watchbot.contract import Settings
from watchbot.ecs import EcsError
from watchbot.notice import JobFinished, StartFailed

THROTTLED = EcsError("Rate exceeded", code="ThrottlingException")
HOUR = 3600


def _watch(sqs: SimulatedSqs, ecs: SimulatedEcs, *, workers: int = 1000, watchers: int = 1) -> Watch:
    settings = Settings(
        queue_url="https://queue", workers=workers, watchers=watchers, cluster="cluster", task_definition="family"
    )
    return Watch(sqs, task_runner(ecs, settings), max_polls=8, dead_letter_queue=False)


def _reads(ecs: SimulatedEcs) -> int:
    return ecs.calls.count("list_tasks") + ecs.calls.count("describe_tasks")


async def _left_running(sqs: SimulatedSqs, ecs: SimulatedEcs, tasks: int) -> None:
    """Have a watcher that launched so many tasks, and is gone, and its messages visible again."""
    sqs.put(*["x"] * tasks)
    first = _watch(sqs, ecs, workers=tasks)
    await first.after(tasks / 20 + 20)
    assert len(ecs.tasks) == tasks
    await first.stopped()
    await asyncio.sleep(15)
    ecs.calls.clear()


def test_a_thousand_tasks_are_found_again_with_two_calls_a_hundred() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=400)
        await _left_running(sqs, ecs, 1000)
        second = _watch(sqs, ecs)
        await second.after(20)
        # Those received first are looked up before it shows that there are many.
        assert _reads(ecs) <= 3 * 20 + 2 * 10 + 10 * 10
        await second.after(600)
        await second.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert len(sqs.deleted) == len(ecs.tasks) == 1000
    assert ecs.stops == []


def test_a_few_messages_are_looked_up_without_going_through_all_tasks() -> None:
    async def scenario() -> SimulatedEcs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=400)
        await _left_running(sqs, ecs, 15)
        second = _watch(sqs, ecs)
        await second.after(10)
        assert ecs.calls.count("list_tasks") == 2 * 15
        await second.stopped()
        return ecs

    assert len(run_virtual(scenario()).tasks) == 15


def test_tasks_that_ended_without_a_watcher_cost_one_call_each_and_none_runs_twice() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        seconds = itertools.cycle([60, 900])
        ecs.draw_seconds = lambda: next(seconds)
        await _left_running(sqs, ecs, 200)
        await asyncio.sleep(60)
        second = _watch(sqs, ecs)
        await second.after(30)
        assert ecs.calls.count("list_tasks") <= 2 * 20 + 100 + 2
        await second.after(1200)
        await second.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert len(sqs.deleted) == len(ecs.tasks) == 200


def test_going_through_all_tasks_is_given_up_where_it_costs_more_than_it_saves() -> None:
    async def scenario() -> SimulatedEcs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=2 * HOUR)
        await _left_running(sqs, ecs, 1500)
        await asyncio.sleep(1)
        taken = [one.message_id for one in list(sqs.stored.values())[25:]]
        for message_id in taken:
            del sqs.stored[message_id]
        second = _watch(sqs, ecs)
        await second.after(60)
        # Twelve pages of the fifteen, and the last messages, whose tasks were on them, found at once.
        assert ecs.calls.count("list_tasks") <= 12 + 2 * 25
        await second.stopped()
        return ecs

    assert len(run_virtual(scenario()).tasks) == 1500


def test_look_ups_and_polls_share_a_part_of_the_accounts_reads() -> None:
    """A tenth of 50 at once and 15 a second, however many messages wait."""

    async def scenario() -> SimulatedEcs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=2 * HOUR)
        await _left_running(sqs, ecs, 300)
        ecs.startedby_stands_alone = True
        second = _watch(sqs, ecs, watchers=10)
        await second.after(60)
        assert _reads(ecs) <= 5 + 1.5 * 60 + 1
        await second.stopped()
        return ecs

    assert len(run_virtual(scenario()).tasks) == 300


def test_throttled_reads_slow_down_and_every_task_is_found_again() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=400)
        await _left_running(sqs, ecs, 300)
        reads = itertools.count(1)
        ecs.fault = lambda name, number: THROTTLED if name.endswith("_tasks") and next(reads) % 3 else None
        second = _watch(sqs, ecs)
        await second.after(HOUR)
        await second.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert len(sqs.deleted) == len(ecs.tasks) == 300
    assert _reads(ecs) < 1500


def test_a_look_up_that_breaks_is_made_again() -> None:
    """Whatever the reason, a message is not to wait for ever, nor to run twice because nobody could look."""

    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=400)
        await _left_running(sqs, ecs, 100)
        ecs.fault = lambda name, number: EcsError("reset") if name == "list_tasks" and number < 4 else None
        second = _watch(sqs, ecs)
        await second.after(600)
        assert second.told(StartFailed)
        await second.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert len(sqs.deleted) == len(ecs.tasks) == 100


def test_a_drain_does_not_wait_for_look_ups_and_hands_their_messages_over() -> None:
    async def scenario() -> tuple[SimulatedSqs, float, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=2 * HOUR)
        await _left_running(sqs, ecs, 300)
        second = _watch(sqs, ecs, workers=300, watchers=1000)
        await second.after(30)
        asked_at = asyncio.get_running_loop().time()
        await second.stopped()
        return sqs, asyncio.get_running_loop().time() - asked_at, second

    sqs, seconds, second = run_virtual(scenario())
    assert seconds <= 15
    assert {tuple(stored.returned) for stored in sqs.stored.values()} == {(10, 10)}
    assert {notice.result.outcome.value for notice in second.told(JobFinished) if isinstance(notice, JobFinished)} == {
        "interrupted"
    }
    assert not second.told(StartFailed)


def test_a_round_of_polls_goes_on_where_it_has_failed() -> None:
    """Were ten calls to succeed in a row for the last hundred tasks to be seen, they never would."""

    async def scenario() -> SimulatedSqs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=300)
        sqs.put(*["x"] * 1000)
        watch = _watch(sqs, ecs)
        await watch.after(100)
        calls = itertools.count(1)
        ecs.fault = lambda name, number: (
            EcsError("reset") if name == "describe_tasks" and next(calls) % 3 == 0 else None
        )
        await watch.after(600)
        await watch.stopped()
        return sqs

    assert len(run_virtual(scenario()).deleted) == 1000


def test_a_round_of_polls_is_spread_over_its_interval() -> None:
    """Ten watchers that began together would else ask a hundred times in the same second."""

    async def scenario() -> list[float]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=300)
        sqs.put(*["x"] * 1000)
        watch = _watch(sqs, ecs)
        await watch.after(100)
        asked_at: list[float] = []
        ecs.fault = lambda name, number: asked_at.append(asyncio.get_running_loop().time())
        await watch.after(60)
        await watch.stopped()
        return asked_at

    asked_at = run_virtual(scenario())
    assert len(asked_at) >= 290
    assert all(later - earlier >= 0.19 for earlier, later in itertools.pairwise(asked_at))


def test_calls_refused_together_slow_down_once() -> None:
    async def scenario() -> float:
        budget = CallBudget(rate=10, burst=10)
        for _ in range(10):
            await budget.take()
        for _ in range(8):
            budget.refused()
        begun_at = asyncio.get_running_loop().time()
        for _ in range(10):
            await budget.take()
        return asyncio.get_running_loop().time() - begun_at

    assert run_virtual(scenario()) == pytest.approx(2)
