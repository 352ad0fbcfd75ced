"""FIFO groups with tasks: order is kept when a member fails, is interrupted, or is taken up by another watcher."""

from __future__ import annotations

import itertools

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Settings

SETTINGS = Settings(
    queue_url="https://queue.fifo",
    dead_letter_queue_url="https://dead.fifo",
    workers=4,
    cluster="cluster",
    task_definition="family",
)
HOURS = 3600


def _order(ecs: SimulatedEcs) -> list[tuple[str, int | None]]:
    """Give the tasks in the order they were started, none before the one before it had ended."""
    tasks = sorted(ecs.tasks.values(), key=lambda task: task["created"])
    assert all(second["created"] >= first["ends_at"] for first, second in itertools.pairwise(tasks))
    return [(task["startedBy"].removeprefix("wb-"), task["exit_code"]) for task in tasks]


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_member_that_fails_or_is_interrupted_goes_before_those_behind_it(interrupted: bool) -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(fifo=True), SimulatedEcs(seconds=30)
        exit_codes = iter([0, 0 if interrupted else 1, 0, 0, 0])
        ecs.draw_exit_code = lambda: next(exit_codes)
        sqs.put("1", "2", "3", "4", group="g")
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        while len(ecs.tasks) < 2:
            await watch.after(1)
        if interrupted:
            ecs.tasks["arn:task/2"]["stopCode"] = "SpotInterruption"
        await watch.after(400)
        await watch.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert [message_id for message_id, _ in _order(ecs)] == ["m1", "m2", "m2", "m3", "m4"]
    assert list(sqs.deleted) == ["m1", "m2", "m3", "m4"]


@pytest.mark.parametrize("seconds", [100, 13 * HOURS])
def test_a_member_that_another_watcher_takes_up_goes_before_those_behind_it(seconds: float) -> None:
    """By a drain, and for a job that outlives the 12 hours of its lease as well."""

    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(fifo=True), SimulatedEcs(seconds=seconds)
        sqs.put("1", "2", "3", group="g")
        first = Watch(sqs, task_runner(ecs, SETTINGS))
        await first.after(50)
        await first.stopped()
        second = Watch(sqs, task_runner(ecs, SETTINGS))
        await second.after(3 * seconds + 300)
        await second.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert _order(ecs) == [("m1", 0), ("m2", 0), ("m3", 0)]
    assert list(sqs.deleted) == ["m1", "m2", "m3"]
    assert ecs.stops == []
