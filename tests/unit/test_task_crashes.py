"""A watcher dies at any of its steps and another follows: nothing is lost, no finished work repeated."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import defaultdict

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.lifeline import Lifeline
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Settings

SEEDS = 200
MESSAGES = 6
SETTINGS = Settings(
    queue_url="https://queue",
    dead_letter_queue_url="https://dead",
    max_receive_count=50,
    workers=4,
    cluster="cluster",
    task_definition="family",
)


async def _live_and_die(sqs: SimulatedSqs, ecs: SimulatedEcs, chance: random.Random) -> None:
    """Have one watcher after the other work until it is cut off, at last one that is not, until all is done."""
    for _ in range(chance.randint(1, 4)):
        lifeline = Lifeline(chance.randint(1, 60))
        Watch(lifeline.to(sqs), task_runner(lifeline.to(ecs), SETTINGS), max_receive_count=50)
        try:
            async with asyncio.timeout(chance.uniform(1, 400)):
                await lifeline.cut.wait()
        except TimeoutError:
            lifeline.cut.set()
        # Until ECS replaces the task; what the dead one was told is in flight until its lease ends.
        await asyncio.sleep(chance.uniform(0, 120))
    watch = Watch(sqs, task_runner(ecs, SETTINGS), max_receive_count=50)
    until = asyncio.get_running_loop().time() + 3 * 3600
    while sqs.stored and asyncio.get_running_loop().time() < until:
        await watch.after(10)
    await watch.stopped()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_crash_at_any_step_loses_nothing_and_repeats_no_finished_work(seed: int) -> None:
    chance = random.Random(seed)

    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs = SimulatedSqs(latency_seconds=0.01)
        ecs = SimulatedEcs()
        ecs.start_seconds = chance.uniform(0, 40)
        ecs.listed_after_seconds = chance.choice([0, 1, 5])
        ecs.startedby_stands_alone = chance.random() < 0.3
        ecs.draw_seconds = lambda: chance.uniform(1, 600)
        ecs.draw_exit_code = lambda: chance.choice([0, 0, 0, 1, 3, 4])
        sqs.put(*[f"job{number}" for number in range(MESSAGES)])
        await _live_and_die(sqs, ecs, chance)
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert len(sqs.deleted) == MESSAGES
    assert sqs.dead_letters == []
    runs = defaultdict(list)
    for task in ecs.tasks.values():
        runs[task["startedBy"]].append((task["created"], task["ends_at"], task["exit_code"]))
    assert len(runs) == MESSAGES
    for attempts in runs.values():
        attempts.sort()
        for (_, ended_at, exit_code), (next_at, _, _) in itertools.pairwise(attempts):
            assert exit_code not in (0, 3), "finished work was repeated"
            assert next_at >= ended_at, "two tasks of a message were alive at once"
        assert attempts[-1][2] in (0, 3)
