"""Tasks that do not start are nobody's fault: no attempt is burned, the reason is told, and launching slows down."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections import Counter

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Settings
from watchbot.ecs import EcsError
from watchbot.metrics import Metrics
from watchbot.notice import JobFinished, Paused, Resumed, StartFailed
from watchbot.settlement import Return

SETTINGS = Settings(
    queue_url="https://queue",
    dead_letter_queue_url="https://dead",
    workers=20,
    cluster="cluster",
    task_definition="family",
)

MINUTES = 60


def _reasons(watch: Watch) -> Counter[str]:
    return Counter(notice.reason for notice in watch.told(StartFailed) if isinstance(notice, StartFailed))


def test_half_an_hour_of_a_full_cluster_burns_no_attempt() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.refuses = lambda: "RESOURCE:MEMORY" if asyncio.get_running_loop().time() < 30 * MINUTES else None
        sqs.put(*["x"] * 40)
        watch = Watch(sqs, task_runner(ecs, SETTINGS), max_polls=2)
        await watch.after(45 * MINUTES)
        await watch.stopped()
        return sqs, ecs, watch

    sqs, ecs, watch = run_virtual(scenario())
    assert len(sqs.deleted) == 40
    assert sqs.dead_letters == []
    receives = [len(stored.receives) for stored in sqs.ever.values()]
    assert receives == [1] * 40
    assert set(_reasons(watch)) == {"ECS placed no task: RESOURCE:MEMORY"}
    assert watch.told(Paused) == [Paused("ECS placed no task: RESOURCE:MEMORY")]
    assert len(watch.told(Resumed)) == 1
    # Receiving pauses, so only what was received before goes on knocking, a start at a time and ever less often.
    assert ecs.calls.count("run_task") < 40 + 20 * 15


def test_an_hour_of_a_wrong_image_dead_letters_nothing() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.start_seconds = 30
        ecs.start_failure = lambda: (
            "CannotPullContainerError: not found" if asyncio.get_running_loop().time() < 60 * MINUTES else None
        )
        sqs.put(*["x"] * 40)
        watch = Watch(sqs, task_runner(ecs, SETTINGS), max_polls=2)
        await watch.after(150 * MINUTES)
        await watch.stopped()
        return sqs, ecs, watch

    sqs, ecs, watch = run_virtual(scenario())
    assert len(sqs.deleted) == 40
    assert sqs.dead_letters == []
    assert max(len(stored.receives) for stored in sqs.ever.values()) <= 2
    assert set(_reasons(watch)) == {"CannotPullContainerError: not found"}
    assert len(ecs.tasks) < 40 + 20 * 20


def test_a_task_that_never_starts_is_stopped_and_another_started_under_the_same_lease() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.start_seconds = 10_000
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, dataclasses.replace(SETTINGS, start_timeout_seconds=300)))
        await watch.after(299)
        assert ecs.stops == []
        ecs.start_seconds = 1
        await watch.after(200)
        await watch.stopped()
        return sqs, ecs, watch

    sqs, ecs, watch = run_virtual(scenario())
    assert ecs.stops == [("arn:task/1", "watchbot:did_not_start")]
    assert len(ecs.tasks) == 2
    assert list(_reasons(watch)) == ["its task did not start within the start timeout"]
    assert [len(stored.receives) for stored in sqs.ever.values()] == [1]
    assert list(sqs.deleted) == ["m1"]


def test_throttling_slows_launches_down_and_loses_none() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=30)
        ecs.fault = lambda name, number: (
            EcsError("Rate exceeded", code="ThrottlingException") if name == "run_task" and number % 3 else None
        )
        sqs.put(*["x"] * 30)
        watch = Watch(sqs, task_runner(ecs, SETTINGS), max_polls=2)
        await watch.after(30 * MINUTES)
        await watch.stopped()
        assert not watch.told(StartFailed)
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert len(sqs.deleted) == 30
    assert len(ecs.tasks) == 30


def test_launches_keep_to_the_watchers_share_of_the_accounts_rate() -> None:
    async def scenario() -> SimulatedEcs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=3600)
        sqs.put(*["x"] * 300)
        watch = Watch(sqs, task_runner(ecs, dataclasses.replace(SETTINGS, workers=300, watchers=10)), max_polls=8)
        await watch.after(60)
        await watch.stopped()
        return ecs

    # A tenth of 10 at once and 20 a second.
    assert 100 <= len(run_virtual(scenario()).tasks) <= 1 + 2 * 60 + 1


@pytest.mark.parametrize("takes_tasks", [False, True])
def test_a_capacity_provider_without_room_gives_way_to_the_next(takes_tasks: bool) -> None:
    """Some refuse at once; others take the task, and it does not start."""

    async def scenario() -> SimulatedEcs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=30)
        ecs.refuses_provider, ecs.fails_provider = (None, "FARGATE_SPOT") if takes_tasks else ("FARGATE_SPOT", None)
        sqs.put("x")
        settings = dataclasses.replace(SETTINGS, task_capacity=(("FARGATE_SPOT", 1), ("FARGATE", 0)))
        watch = Watch(sqs, task_runner(ecs, settings))
        await watch.after(120)
        await watch.stopped()
        assert list(sqs.deleted) == ["m1"]
        return ecs

    drawn = [request["capacityProviderStrategy"][0]["capacityProvider"] for request in run_virtual(scenario()).requests]
    assert drawn == ["FARGATE_SPOT", "FARGATE"]


@pytest.mark.parametrize("family_only", [True, False])
def test_a_lookup_that_ecs_throttles_is_made_again_under_the_same_lease(family_only: bool) -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=600)
        ecs.startedby_stands_alone = family_only
        sqs.put("x")
        first = Watch(sqs, task_runner(ecs, SETTINGS))
        await first.after(60)
        await first.stopped()
        until = asyncio.get_running_loop().time() + 120
        ecs.fault = lambda name, number: (
            EcsError("Rate exceeded", code="ThrottlingException")
            if name == "list_tasks" and asyncio.get_running_loop().time() < until
            else None
        )
        second = Watch(sqs, task_runner(ecs, SETTINGS))
        await second.after(900)
        await second.stopped()
        return sqs, ecs, second

    sqs, ecs, second = run_virtual(scenario())
    assert len(ecs.tasks) == 1
    # One more may go to the first watcher's last poll, which hands it back.
    assert len(sqs.ever["m1"].receives) <= 3
    assert list(sqs.deleted) == ["m1"]
    (finished,) = second.told(JobFinished)
    assert isinstance(finished, JobFinished)
    assert not isinstance(finished.settlement, Return)


def test_a_reason_that_names_the_task_is_one_reason() -> None:
    """Else a missing permission would be an alarm and a line for every try."""

    async def scenario() -> Watch:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.start_failure = lambda: f"ResourceInitializationError: role/{len(ecs.tasks):032x} is not authorized"
        sqs.put(*["x"] * 10)
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(30 * MINUTES)
        await watch.stopped()
        return watch

    lines: list[str] = []
    counted = Metrics("service", lines.append, lambda: 0.0)
    for notice in run_virtual(scenario()).told(StartFailed):
        counted(notice)
    counted.flush()
    (line,) = lines
    assert json.loads(line)["FailedWorkerPlacement"] == 1


def test_numbers_whose_tasks_ecs_has_forgotten_keep_no_message_from_running() -> None:
    """Three hours of a missing image, and then the watchers of a deployment that mends it."""

    async def scenario() -> tuple[SimulatedSqs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.start_failure = lambda: "CannotPullContainerError: not found"
        sqs.put(*["x"] * 5)
        first = Watch(sqs, task_runner(ecs, SETTINGS))
        await first.after(60)
        await first.stopped()
        await asyncio.sleep(180 * MINUTES)
        ecs.start_failure = lambda: None
        second = Watch(sqs, task_runner(ecs, SETTINGS))
        await second.after(60 * MINUTES)
        await second.stopped()
        return sqs, second

    sqs, second = run_virtual(scenario())
    assert len(sqs.deleted) == 5
    assert not second.told(Paused)
    assert not second.told(StartFailed)
