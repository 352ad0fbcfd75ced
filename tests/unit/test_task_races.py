"""Several watchers at once, killed, drained, paused and given each other's messages, while answers are lost."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.lifeline import Lifeline
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import VirtualTimeLoop, run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Settings
from watchbot.ecs import EcsError

SEEDS = 20
MESSAGES = 8
MINUTES = 60
SETTINGS = Settings(
    queue_url="https://queue",
    dead_letter_queue_url="https://dead",
    workers=4,
    cluster="cluster",
    task_definition="family",
    job_timeout_seconds=500,
    start_timeout_seconds=200,
)


class RoughEcs(SimulatedEcs):
    """Slow, and with answers that are lost on their way; some tasks are interrupted, whatever they answer then.

    ``refuses_some`` says whether it also has no room now and then.
    """

    def __init__(self, chance: random.Random, *, refuses_some: bool) -> None:
        super().__init__()
        self._chance = chance
        self.start_seconds = chance.uniform(0, 60)
        self.listed_after_seconds = chance.choice([0, 1, 5])
        self.startedby_stands_alone = chance.random() < 0.3
        self.remembers_refusals = chance.random() < 0.5
        self.draw_seconds = lambda: chance.uniform(1, 700)
        self.draw_exit_code = lambda: chance.choice([0, 0, 0, 1, 3, 4, 5])
        self.start_failure = lambda: "CannotPullContainerError" if chance.random() < 0.1 else None
        self.refuses = lambda: "RESOURCE:CPU" if refuses_some and chance.random() < 0.2 else None

    async def run_task(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        await self._travel()
        known = len(self.tasks)
        answer = await super().run_task(request)
        if len(self.tasks) > known and self._chance.random() < 0.2:
            task = self.tasks[f"arn:task/{len(self.tasks)}"]
            task |= {"stopCode": task.get("stopCode", "SpotInterruption"), "interrupted": True}
        await self._travel()
        return answer

    async def describe_tasks(self, arns: Any) -> Mapping[str, Any]:
        await self._travel()
        return await super().describe_tasks(arns)

    async def list_tasks(self, **filters: Any) -> Any:
        await self._travel()
        return await super().list_tasks(**filters)

    async def stop_task(self, arn: str, reason: str) -> None:
        await self._travel()
        await super().stop_task(arn, reason)

    async def _travel(self) -> None:
        await asyncio.sleep(self._chance.choice([0.01, 0.1, 3]))
        if self._chance.random() < 0.05:
            raise EcsError("Rate exceeded", code="ThrottlingException")
        if self._chance.random() < 0.05:
            await asyncio.sleep(20)
            raise EcsError("timed out")


async def _watch(sqs: SimulatedSqs, ecs: SimulatedEcs, chance: random.Random, until: float) -> None:
    """Have one watcher after the other in this place, each killed or drained after a while."""
    now = asyncio.get_running_loop().time
    while now() < until:
        is_killed = chance.random() < 0.5
        lifeline = Lifeline(chance.randint(1, 400) if is_killed else None)
        watch = Watch(lifeline.to(sqs), task_runner(lifeline.to(ecs), SETTINGS), max_receive_count=1000)
        try:
            async with asyncio.timeout(chance.uniform(1, 600)):
                await lifeline.cut.wait()
        except TimeoutError:
            if is_killed:
                lifeline.cut.set()
            else:
                await watch.stopped()
        await asyncio.sleep(chance.uniform(0, 60))


async def _disturb(sqs: SimulatedSqs, chance: random.Random, until: float, *, doubles: bool) -> None:
    """Stop the world's watchers for a while now and then, or deliver messages that are in flight once more."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    while loop.time() < until:
        await asyncio.sleep(chance.uniform(10, 200))
        if doubles and sqs.stored:
            chance.choice(list(sqs.stored.values())).visible_at = loop.time()
            sqs._arrived.set()
        elif chance.random() < 0.3:
            loop.pause(chance.uniform(10, 400))


@pytest.mark.parametrize("doubles", [False, True])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_befalls_them_watchers_lose_nothing_and_repeat_no_finished_work(seed: int, doubles: bool) -> None:
    chance = random.Random(seed)

    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        loop = asyncio.get_running_loop()
        sqs = SimulatedSqs(latency_seconds=0.01)
        ecs = RoughEcs(chance, refuses_some=not doubles)
        sqs.put(*[f"job{number}" for number in range(MESSAGES)])
        until: float = 40 * MINUTES
        places = [_watch(sqs, ecs, chance, until) for _ in range(3)]
        await asyncio.gather(*places, _disturb(sqs, chance, until, doubles=doubles))
        watch = Watch(sqs, task_runner(ecs, SETTINGS), max_receive_count=1000)
        until = loop.time() + 6 * 60 * MINUTES
        while sqs.stored and loop.time() < until:
            await watch.after(30)
        await watch.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert len(sqs.deleted) == MESSAGES
    runs = defaultdict(list)
    for task in ecs.tasks.values():
        exit_code = None if task.get("interrupted") or "stoppedReason" in task else task["exit_code"]
        runs[task["startedBy"]].append((task["created"], task["ends_at"], exit_code))
    assert len(runs) == MESSAGES
    for attempts in runs.values():
        attempts.sort()
        for (_, ended_at, exit_code), (next_at, _, _) in itertools.pairwise(attempts):
            assert exit_code not in (0, 3, 5), "finished work was repeated"
            assert next_at >= ended_at, "two tasks of a message were alive at once"
        assert attempts[-1][2] in (0, 3, 5)
    dead = {letter["MessageAttributes"]["watchbot.MessageId"]["StringValue"] for letter in sqs.dead_letters}
    assert dead == {name.removeprefix("wb-") for name, attempts in runs.items() if attempts[-1][2] == 5}
