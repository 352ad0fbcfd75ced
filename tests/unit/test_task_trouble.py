"""ECS refuses, throttles or cannot be reached: it is told once, nothing is lost, and no attempt is burned."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Outcome, Settings
from watchbot.ecs import EcsError
from watchbot.notice import Bug, JobFinished, Paused, StartFailed

SETTINGS = Settings(
    queue_url="https://queue",
    dead_letter_queue_url="https://dead",
    workers=6,
    cluster="cluster",
    task_definition="family",
    job_timeout_seconds=300,
)
OPERATIONS = ["run_task", "describe_tasks", "list_tasks", "stop_task"]
ERRORS = {
    "throttled": EcsError("Rate exceeded", code="ThrottlingException"),
    "denied": EcsError("not authorized", code="AccessDeniedException", answered=True),
    "unreachable": EcsError("ECS cannot be reached"),
    "no cluster": EcsError("Cluster not found.", code="ClusterNotFoundException", answered=True),
    "inactive": EcsError("TaskDefinition is inactive", code="ClientException", answered=True),
}
MINUTES = 60


async def _hand_over_and_back(sqs: SimulatedSqs, ecs: SimulatedEcs, seconds: float, **fails: EcsError) -> Watch:
    """Have a watcher die with a task running, and another take over while the operations fail for some time."""
    sqs.put(*["x"] * 3)
    first = Watch(sqs, task_runner(ecs, SETTINGS))
    await first.after(20)
    await first.stopped()
    sqs.put(*["y"] * 3)
    until = asyncio.get_running_loop().time() + seconds
    ecs.fault = lambda name, number: fails.get(name) if asyncio.get_running_loop().time() < until else None
    second = Watch(sqs, task_runner(ecs, SETTINGS))
    await second.after(seconds + 30 * MINUTES)
    await second.stopped()
    return second


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("error", list(ERRORS))
def test_ten_minutes_of_a_failing_operation_lose_nothing_and_are_told(operation: str, error: str) -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        lengths = iter([60, 60, 10_000, 60, 60, 60, *[60] * 100])
        ecs.draw_seconds = lambda: next(lengths)
        watch = await _hand_over_and_back(sqs, ecs, 10 * MINUTES, **{operation: ERRORS[error]})
        return sqs, ecs, watch

    sqs, ecs, watch = run_virtual(scenario())
    assert len(sqs.deleted) == 6
    assert sqs.dead_letters == []
    assert max(len(stored.receives) for stored in sqs.ever.values()) <= 3
    assert len(ecs.tasks) == 7  # one of them was over its timeout and was run again
    assert not watch.told(Bug)
    reasons = {notice.reason for notice in watch.told(StartFailed) if isinstance(notice, StartFailed)}
    # A look-up of earlier tasks lists and describes them, and says so.
    assert 1 <= len(reasons | set(ecs.troubles)) <= 2
    assert ecs.calls.count(operation) < 800


def test_a_role_that_may_not_run_tasks_is_told_and_pauses_the_watcher() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        denied = EcsError("not authorized to perform: iam:PassRole", code="AccessDeniedException", answered=True)
        ecs.fault = lambda name, number: denied if name == "run_task" else None
        sqs.put(*["x"] * 10)
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(50 * MINUTES)
        await watch.stopped()
        return sqs, ecs, watch

    sqs, ecs, watch = run_virtual(scenario())
    assert [len(stored.receives) for stored in sqs.ever.values()] == [1] * 6 + [0] * 4
    assert watch.told(Paused) == [Paused("not authorized to perform: iam:PassRole")]
    assert ecs.calls.count("run_task") < 6 * 20


def test_an_unexpected_error_ends_one_job_only() -> None:
    """Not the poller, on which all the others wait."""

    class OddEcs(SimulatedEcs):
        def _described(self, arn: str) -> dict[str, object]:
            described = super()._described(arn)
            return described | {"startedAt": "yesterday"} if arn == "arn:task/2" else described

    async def scenario() -> Watch:
        sqs, ecs = SimulatedSqs(), OddEcs()
        sqs.put(*["x"] * 3)
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(100)
        assert sorted(sqs.deleted) == ["m1", "m3"]
        await watch.stopped()
        return watch

    watch = run_virtual(scenario())
    assert {bug.message_id for bug in watch.told(Bug) if isinstance(bug, Bug)} == {"m2"}


def test_a_poll_that_fails_unexpectedly_is_made_again() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.fault = lambda name, number: (
            ValueError("no JSON") if name == "describe_tasks" and number in (2, 3) else None
        )
        sqs.put(*["x"] * 3)
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(150)
        await watch.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert len(sqs.deleted) == 3
    assert ecs.troubles == ["ECS cannot be called: ValueError('no JSON')"] * 2


def test_a_task_that_ignores_its_stop_is_asked_again_each_minute_and_waited_for() -> None:
    class StubbornEcs(SimulatedEcs):
        async def stop_task(self, arn: str, reason: str) -> None:
            self._call("stop_task")
            if self.calls.count("stop_task") >= 4:
                await super().stop_task(arn, reason)

    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), StubbornEcs(seconds=100_000)
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, dataclasses.replace(SETTINGS, job_timeout_seconds=60)))
        await watch.after(300)
        await watch.stopped()
        return sqs, ecs, watch

    _, ecs, watch = run_virtual(scenario())
    outcomes = Counter(one.result.outcome for one in watch.told(JobFinished) if isinstance(one, JobFinished))
    assert outcomes[Outcome.TIMED_OUT] == 1
    assert len(ecs.tasks) <= 2
