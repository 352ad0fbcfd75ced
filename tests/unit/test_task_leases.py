"""A task is started only under a lease that is still ours: another watcher may start one for the same message."""

from __future__ import annotations

import asyncio
import dataclasses
import math

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import VirtualTimeLoop, run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Outcome, Settings
from watchbot.ecs import EcsError
from watchbot.notice import JobFinished
from watchbot.settlement import LetGo
from watchbot.sqs import TASK_POLL_SECONDS

SETTINGS = Settings(
    queue_url="https://queue",
    dead_letter_queue_url="https://dead",
    workers=20,
    cluster="cluster",
    task_definition="family",
)


def _taken_by_another(sqs: SimulatedSqs, message_id: str) -> None:
    sqs.stored[message_id].handle = f"{message_id}/elsewhere"
    sqs.stored[message_id].visible_at = math.inf


def _tasks_of(ecs: SimulatedEcs, message_id: str) -> int:
    return sum(task["startedBy"] == f"wb-{message_id}" for task in ecs.tasks.values())


def test_a_message_whose_lease_is_lost_in_the_queue_for_the_probe_is_not_started() -> None:
    async def scenario() -> tuple[SimulatedEcs, int]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.start_seconds = 100
        ecs.start_failure = lambda: "CannotPullContainerError"
        sqs.put(*["x"] * 8)
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(250)  # the first round has failed; one probes, the others wait for it
        before = _tasks_of(ecs, "m8")
        _taken_by_another(sqs, "m8")
        await watch.after(2000)
        await watch.stopped()
        return ecs, before

    ecs, before = run_virtual(scenario())
    assert _tasks_of(ecs, "m8") == before


def test_a_watcher_that_was_paused_starts_nothing_for_what_it_held() -> None:
    """SIGSTOP: every timer goes off late and in any order, the retry of a start before the heartbeat."""

    async def scenario() -> SimulatedEcs:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.refuses = lambda: "RESOURCE:MEMORY"
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(62)
        ecs.refuses = lambda: None
        _taken_by_another(sqs, "m1")
        loop.pause(300)
        await watch.after(600)
        await watch.stopped()
        return ecs

    assert run_virtual(scenario()).tasks == {}


def test_a_launch_that_ecs_does_not_answer_is_not_asked_for_again_once_the_lease_is_lost() -> None:
    async def scenario() -> tuple[SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.fault = lambda name, number: EcsError("timed out") if name == "run_task" else None
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(100)
        _taken_by_another(sqs, "m1")
        await watch.after(100)
        ecs.fault = lambda name, number: None
        await watch.after(100)
        (finished,) = watch.told(JobFinished)
        assert isinstance(finished, JobFinished)
        assert finished.settlement == LetGo()
        await watch.stopped()
        return ecs, watch

    ecs, _ = run_virtual(scenario())
    assert ecs.tasks == {}


def test_a_drain_hands_back_what_waits_for_its_turn_to_be_launched() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, float]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=1000)
        sqs.poll_seconds = TASK_POLL_SECONDS
        sqs.put(*["x"] * 20)
        watch = Watch(sqs, task_runner(ecs, dataclasses.replace(SETTINGS, watchers=1000)), max_polls=2)
        await watch.after(30)
        asked_at = asyncio.get_running_loop().time()
        await watch.stopped()
        return sqs, ecs, asyncio.get_running_loop().time() - asked_at

    sqs, ecs, seconds = run_virtual(scenario())
    assert len(ecs.tasks) == 1
    assert [stored.returned for stored in sqs.ever.values()] == [[10]] * 20
    assert seconds <= 15


@pytest.mark.parametrize("hung", ["poll", "launch", "returns"])
def test_a_drain_is_over_in_15_seconds_whatever_hangs(hung: str) -> None:
    class HungSqs(SimulatedSqs):
        async def _call(self, name: str, size: int) -> None:
            await super()._call(name, size)
            if (name, hung) in (("receive", "poll"), ("return", "returns")) and self.count("receive") > 1:
                await asyncio.sleep(60)

    class HungEcs(SimulatedEcs):
        async def run_task(self, request: object) -> object:  # type: ignore[override]
            if hung == "launch" and len(self.tasks) == 3:
                await asyncio.sleep(60)
            return await super().run_task(request)  # type: ignore[arg-type]

    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, float]:
        sqs, ecs = HungSqs(), HungEcs(seconds=1000)
        sqs.poll_seconds = TASK_POLL_SECONDS
        sqs.put(*["x"] * 4)
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(30)
        asked_at = asyncio.get_running_loop().time()
        await watch.stopped()
        return sqs, ecs, asyncio.get_running_loop().time() - asked_at

    sqs, ecs, seconds = run_virtual(scenario())
    assert seconds <= 15
    assert ecs.stops == []
    if hung != "returns":
        assert [stored.returned for stored in sqs.ever.values()][:3] == [[10]] * 3


def test_a_launch_of_ten_seconds_is_finished_by_a_drain_and_handed_over() -> None:
    class SlowEcs(SimulatedEcs):
        async def run_task(self, request: object) -> object:  # type: ignore[override]
            await asyncio.sleep(10)
            return await super().run_task(request)  # type: ignore[arg-type]

    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, float]:
        sqs, ecs = SimulatedSqs(), SlowEcs(seconds=1000)
        sqs.poll_seconds = TASK_POLL_SECONDS
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(1)
        asked_at = asyncio.get_running_loop().time()
        await watch.stopped()
        seconds = asyncio.get_running_loop().time() - asked_at
        second = Watch(sqs, task_runner(ecs, SETTINGS))
        await second.after(1200)
        await second.stopped()
        return sqs, ecs, seconds

    sqs, ecs, seconds = run_virtual(scenario())
    assert seconds <= 15
    assert sqs.ever["m1"].returned == [10]
    assert len(ecs.tasks) == 1
    assert list(sqs.deleted) == ["m1"]


def test_a_task_that_another_watcher_has_settled_is_not_dead_lettered_twice() -> None:
    """A paused watcher hears of the end of its task before it hears that its lease has run out."""

    async def scenario() -> tuple[SimulatedSqs, Watch]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=100, exit_code=5)
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(90.5)
        _taken_by_another(sqs, "m1")
        loop.pause(300)
        await watch.after(100)
        await watch.stopped()
        return sqs, watch

    sqs, watch = run_virtual(scenario())
    assert sqs.dead_letters == []
    assert [notice.result.outcome for notice in watch.told(JobFinished) if isinstance(notice, JobFinished)] != [
        Outcome.SUCCEEDED
    ]
