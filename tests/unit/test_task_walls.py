"""A job may outlive the 12 hours of its lease: its message is received again and its task taken up."""

from __future__ import annotations

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Settings

SETTINGS = Settings(
    queue_url="https://queue", dead_letter_queue_url="https://dead", cluster="cluster", task_definition="family"
)
HOURS = 3600


@pytest.mark.parametrize("hours", [13, 30])
def test_a_full_watcher_receives_its_old_message_again_and_follows_the_same_task(hours: int) -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=hours * HOURS)
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(hours * HOURS + 60)
        await watch.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert list(sqs.deleted) == ["m1"]
    assert len(ecs.tasks) == 1
    assert len(sqs.ever["m1"].receives) == 1 + hours // 12
    assert ecs.stops == []


def test_a_backlog_does_not_keep_a_job_from_being_settled_when_its_lease_has_ended() -> None:
    """Its message waits behind others when its task ends: the old receipt handle still deletes it."""

    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=12.5 * HOURS)
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(11 * HOURS)
        sqs.put(*["y"] * 5)
        await watch.after(1.6 * HOURS)
        assert "m1" in sqs.deleted
        return sqs, ecs

    _, ecs = run_virtual(scenario())
    assert [task["startedBy"] for task in ecs.tasks.values()].count("wb-m1") == 1


def test_a_job_of_thirty_hours_goes_through_the_hands_of_several_watchers() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=30 * HOURS)
        sqs.put("x")
        others = [Watch(sqs, task_runner(ecs, SETTINGS)) for _ in range(2)]
        for _ in range(4):
            watch = Watch(sqs, task_runner(ecs, SETTINGS))
            await watch.after(7 * HOURS)
            await watch.stopped()
        await others[0].after(3 * HOURS)
        for other in others:
            await other.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert list(sqs.deleted) == ["m1"]
    assert len(ecs.tasks) == 1
    assert ecs.stops == []
