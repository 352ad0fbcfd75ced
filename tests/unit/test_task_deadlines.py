"""A task's time counts from its own start, in every watcher, whatever the wall clock says."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Settings
from watchbot.task_deadline import TaskDeadline

SETTINGS = Settings(
    queue_url="https://queue",
    dead_letter_queue_url="https://dead",
    cluster="cluster",
    task_definition="family",
    job_timeout_seconds=600,
    start_timeout_seconds=300,
)


def test_an_adopted_task_gets_no_second_helping() -> None:
    async def scenario() -> SimulatedEcs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=10_000)
        sqs.put("x")
        for _ in range(2):
            watch = Watch(sqs, task_runner(ecs, SETTINGS))
            await watch.after(250)
            await watch.stopped()
        last = Watch(sqs, task_runner(ecs, SETTINGS))
        while not ecs.stops:
            await last.after(1)
        await last.stopped()
        assert asyncio.get_running_loop().time() == pytest.approx(600, abs=10)
        return ecs

    assert run_virtual(scenario()).stops == [("arn:task/1", "watchbot:timed_out")]


def _stopped_after(ages: Callable[[float], float], *, launched_here: bool, until: float, **task: float) -> float | None:
    """Look at a task every two seconds, by a wall clock that shows ``ages`` of the time; say when it is stopped."""

    async def scenario() -> float | None:
        loop, ecs = asyncio.get_running_loop(), SimulatedEcs()
        ecs.tasks["arn:1"] = {"ends_at": float("inf")}
        deadline = TaskDeadline(ecs, 300, 600, lambda: ages(loop.time()), ecs.notices.append)
        check = deadline.watch("m1", "arn:1", launched_here=launched_here)
        dates = {name: datetime.datetime.fromtimestamp(at, datetime.UTC) for name, at in task.items()}
        described: dict[str, Any] = {"taskArn": "arn:1", "desiredStatus": "RUNNING", **dates}
        while loop.time() < until:
            check(described)
            await asyncio.sleep(2)
            if ecs.stops:
                return loop.time()
        return None

    return run_virtual(scenario())


DAY = 86_400.0


@pytest.mark.parametrize("jump", [DAY, -DAY])
@pytest.mark.parametrize("launched_here", [True, False])
def test_a_clock_that_jumps_while_a_task_runs_stops_nothing_early_or_late(jump: float, launched_here: bool) -> None:
    seconds = _stopped_after(
        lambda now: now + (jump if now > 100 else 0), launched_here=launched_here, until=1000, createdAt=0, startedAt=0
    )
    assert seconds == pytest.approx(600, abs=4)


@pytest.mark.parametrize("wrong", [DAY, -DAY])
def test_a_clock_that_is_wrong_stops_no_task_launched_here_early(wrong: float) -> None:
    assert _stopped_after(
        lambda now: now + wrong, launched_here=True, until=1000, createdAt=0, startedAt=0
    ) == pytest.approx(600, abs=4)


def test_the_start_timeout_counts_from_when_the_task_was_created() -> None:
    assert _stopped_after(lambda now: now + 200, launched_here=False, until=1000, createdAt=0) == pytest.approx(
        100, abs=4
    )
