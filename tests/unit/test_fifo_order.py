from __future__ import annotations

import asyncio

from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.job import Job
from watchbot.notice import HandedBack
from watchbot.sqs import SqsError


def _one_second(job: Job) -> Work:
    return Work(seconds=1)


def test_groups_run_side_by_side_and_each_in_its_order() -> None:
    async def scenario() -> SimulatedRunner:
        sqs = SimulatedSqs(fifo=True)
        for number in range(5):
            for group in "abc":
                sqs.put(f"{group}{number}", group=group)
        runner = SimulatedRunner(_one_second, workers=3)
        watch = Watch(sqs, runner)
        await watch.after(7)
        await watch.stopped()
        return runner

    runner = run_virtual(scenario())
    assert runner.most_at_once == 3
    assert len(runner.ran) == 15
    for group in "abc":
        assert [text for text in runner.texts if text[0] == group] == [f"{group}{number}" for number in range(5)]


def test_messages_that_wait_for_their_turn_hold_no_slot() -> None:
    async def scenario() -> SimulatedRunner:
        sqs = SimulatedSqs(fifo=True)
        sqs.put(*["a"] * 10, group="a")
        sqs.put("b", group="b")
        runner = SimulatedRunner(_one_second, workers=10)
        watch = Watch(sqs, runner)
        await watch.after(2)
        await watch.stopped()
        return runner

    assert run_virtual(scenario()).texts.index("b") <= 1


def test_after_a_failure_the_rest_of_the_group_goes_back_and_nothing_overtakes_it() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
        sqs = SimulatedSqs(fifo=True)
        sqs.put("a1", "a2", "a3", "a4", group="a")
        sqs.put("b1", "b2", group="b")
        runner = SimulatedRunner(
            lambda job: Work(exit_code=1 if job.text == "a2" and job.message.receive_count == 1 else 0), workers=10
        )
        watch = Watch(sqs, runner)
        await watch.after(30)
        await watch.stopped()
        return sqs, runner, watch

    sqs, runner, watch = run_virtual(scenario())
    assert [text for text in runner.texts if text[0] == "a"] == ["a1", "a2", "a2", "a3", "a4"]
    assert len(sqs.deleted) == 6
    assert [notice.message.body for notice in watch.told(HandedBack) if isinstance(notice, HandedBack)] == ["a3", "a4"]


def test_a_message_that_is_dead_lettered_lets_its_group_go_on() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs(fifo=True)
        sqs.put("a1", "a2", group="a")
        runner = SimulatedRunner(lambda job: Work(exit_code=5 if job.text == "a1" else 0))
        watch = Watch(sqs, runner)
        await watch.after(5)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert runner.texts == ["a1", "a2"]
    assert sqs.dead_letters[0]["MessageGroupId"] == "a"
    assert sqs.dead_letters[0]["MessageDeduplicationId"] == "m1"


def test_the_next_of_a_group_starts_only_after_sqs_has_confirmed_the_delete() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs(fifo=True)
        sqs.put("a1", "a2", group="a")
        sqs.fault = lambda name, number: (
            SqsError("throttled") if name == "delete" and asyncio.get_running_loop().time() < 20 else None
        )
        runner = SimulatedRunner(_one_second, workers=2)
        watch = Watch(sqs, runner)
        await watch.after(40)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert runner.texts == ["a1", "a2"]
    assert runner.ran[1].began_at >= sqs.deleted["m1"]


def test_waiting_messages_keep_their_leases_behind_a_long_job() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs(fifo=True)
        sqs.put("a1", "a2", "a3", group="a")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(seconds=500), workers=3))
        await watch.after(1600)
        await watch.stopped()
        return sqs

    sqs = run_virtual(scenario())
    assert list(sqs.deleted) == ["m1", "m2", "m3"]


def test_a_drain_hands_the_waiting_ones_back_unstarted() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs(fifo=True)
        sqs.put("a1", "a2", "a3", group="a")
        runner = SimulatedRunner(lambda job: Work(seconds=50), workers=3)
        watch = Watch(sqs, runner)
        await watch.after(5)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert runner.texts == ["a1"]
    assert list(sqs.deleted) == ["m1"]
    assert [sqs.stored[one].returned for one in ("m2", "m3")] == [[0], [0]]


def test_a_standard_queue_ignores_groups() -> None:
    async def scenario() -> SimulatedRunner:
        sqs = SimulatedSqs()
        sqs.put("1", "2", "3", group="fair")
        runner = SimulatedRunner(_one_second, workers=3)
        watch = Watch(sqs, runner)
        await watch.after(2)
        await watch.stopped()
        return runner

    assert run_virtual(scenario()).most_at_once == 3
