"""A task that does not stop is reported and counted, whoever asked for the stop, and its message is kept."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Settings
from watchbot.ecs import EcsError
from watchbot.metrics import Metrics
from watchbot.notice import JobFinished, Notice, Stopped, Unstopped

SETTINGS = Settings(
    queue_url="https://queue",
    dead_letter_queue_url="https://dead",
    cluster="cluster",
    task_definition="family",
    job_timeout_seconds=600,
    start_timeout_seconds=300,
)
HOUR = 3600.0


class OutOfTouchEcs(SimulatedEcs):
    """StopTask sets what a task is to become, and nothing more happens until ``back_at``."""

    back_at = float("inf")

    async def stop_task(self, arn: str, reason: str) -> None:
        self._call("stop_task")
        self.stops.append((arn, reason))
        self.tasks[arn] |= {"stoppedReason": reason, "stopCode": "UserInitiated", "is_to_stop": True}

    def _described(self, arn: str) -> dict[str, Any]:
        if self.tasks[arn].get("is_to_stop") and asyncio.get_running_loop().time() >= self.back_at:
            self.tasks[arn]["ends_at"] = min(self.tasks[arn]["ends_at"], self.back_at)
        described = super()._described(arn)
        return described | ({"desiredStatus": "STOPPED"} if self.tasks[arn].get("is_to_stop") else {})


def _reported(ecs: SimulatedEcs) -> list[Unstopped]:
    return [notice for notice in ecs.notices if isinstance(notice, Unstopped)]


@pytest.mark.parametrize("start_seconds", [1.0, 1e9], ids=["job timeout", "start timeout"])
def test_a_task_over_its_time_that_does_not_stop_is_reported_in_minutes_and_each_hour(start_seconds: float) -> None:
    async def scenario() -> tuple[SimulatedSqs, OutOfTouchEcs, Watch]:
        sqs, ecs = SimulatedSqs(), OutOfTouchEcs(seconds=1e9)
        ecs.start_seconds = start_seconds
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(3 * HOUR)
        await watch.stopped()
        return sqs, ecs, watch

    sqs, ecs, watch = run_virtual(scenario())
    over = SETTINGS.job_timeout_seconds if start_seconds == 1 else SETTINGS.start_timeout_seconds
    reported = _reported(ecs)
    assert [round(one.waited_seconds) for one in reported] == [300, 3900, 7500]
    assert {(one.message_id, one.task) for one in reported} == {("m1", "arn:task/1")}
    assert reported[0].reason == ("watchbot:timed_out" if over == 600 else "watchbot:did_not_start")
    # The message is kept: a second task beside the first would be worse than a late one.
    assert len(ecs.tasks) == 1
    assert len(sqs.ever["m1"].receives) == 1
    assert [one.settlement for one in watch.told(JobFinished) if isinstance(one, JobFinished)] != []
    assert isinstance(ecs.notices[-1], Stopped)  # no longer followed here


def test_whoever_asked_for_the_stop_and_whichever_watcher_follows() -> None:
    async def scenario() -> OutOfTouchEcs:
        sqs, ecs = SimulatedSqs(), OutOfTouchEcs(seconds=1e9)
        sqs.put("x")
        first = Watch(sqs, task_runner(ecs, SETTINGS))
        await first.after(60)
        await ecs.stop_task("arn:task/1", "stopped by hand")
        await first.stopped()
        assert not ecs.notices
        second = Watch(sqs, task_runner(ecs, SETTINGS))
        await second.after(600)
        await second.stopped()
        return ecs

    ecs = run_virtual(scenario())
    assert [one.task for one in _reported(ecs)] == ["arn:task/1"]
    assert [reason for _, reason in ecs.stops] == ["stopped by hand"]


def test_a_task_that_stops_in_the_end_is_settled_and_no_longer_counted() -> None:
    async def scenario() -> tuple[SimulatedSqs, OutOfTouchEcs, Watch]:
        sqs, ecs = SimulatedSqs(), OutOfTouchEcs(seconds=1e9)
        ecs.back_at = 2 * HOUR
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, SETTINGS), max_receive_count=1)
        await watch.after(2 * HOUR + 60)
        await watch.stopped()
        return sqs, ecs, watch

    sqs, ecs, watch = run_virtual(scenario())
    (finished,) = watch.told(JobFinished)
    assert isinstance(finished, JobFinished)
    assert finished.result.outcome == "timed_out"
    assert len(sqs.dead_letters) == 1
    assert [type(notice) for notice in ecs.notices] == [Unstopped, Unstopped, Stopped]


@pytest.mark.parametrize("refused_seconds", [0, 200])
def test_an_extra_task_is_stopped_even_if_that_takes_several_requests(refused_seconds: float) -> None:
    async def scenario() -> tuple[SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=500)
        sqs.put("x")
        first = Watch(sqs, task_runner(ecs, SETTINGS))
        await first.after(30)
        ecs.tasks["arn:task/2"] = {**ecs.tasks["arn:task/1"], "taskArn": "arn:task/2"}
        until = asyncio.get_running_loop().time() + refused_seconds
        ecs.fault = lambda name, number: (
            EcsError("throttled") if name == "stop_task" and asyncio.get_running_loop().time() < until else None
        )
        await first.stopped()
        second = Watch(sqs, task_runner(ecs, SETTINGS))
        await second.after(400)
        await second.stopped()
        return ecs, second

    ecs, _ = run_virtual(scenario())
    assert [reason for _, reason in ecs.stops] == ["watchbot:interrupted"]


def test_an_extra_task_that_does_not_stop_is_reported_too() -> None:
    async def scenario() -> OutOfTouchEcs:
        sqs, ecs = SimulatedSqs(), OutOfTouchEcs(seconds=1e9)
        sqs.put("x")
        first = Watch(sqs, task_runner(ecs, dataclasses.replace(SETTINGS, job_timeout_seconds=0)))
        await first.after(30)
        ecs.tasks["arn:task/2"] = {**ecs.tasks["arn:task/1"], "taskArn": "arn:task/2"}
        await first.stopped()
        second = Watch(sqs, task_runner(ecs, dataclasses.replace(SETTINGS, job_timeout_seconds=0)))
        await second.after(2 * HOUR)
        assert await second.stopped() == 0
        return ecs

    ecs = run_virtual(scenario())
    (extra,) = {arn for arn, _ in ecs.stops}
    assert [(one.task, one.reason) for one in _reported(ecs)] == [(extra, "watchbot:interrupted")] * 2


def test_a_task_that_ecs_neither_describes_nor_calls_missing_is_reported() -> None:
    class SilentEcs(SimulatedEcs):
        async def describe_tasks(self, arns: Any) -> Any:
            answer = await super().describe_tasks(arns)
            return {"tasks": [], "failures": [{"arn": one["taskArn"], "reason": "ACCESS"} for one in answer["tasks"]]}

    async def scenario() -> SilentEcs:
        sqs, ecs = SimulatedSqs(), SilentEcs()
        sqs.put("x")
        watch = Watch(sqs, task_runner(ecs, SETTINGS))
        await watch.after(60)
        await watch.stopped()
        return ecs

    assert set(run_virtual(scenario()).troubles) == {"ECS does not describe arn:task/1: ACCESS"}


def _written(*notices: Notice) -> list[dict[str, Any]]:
    """Tell the metrics each of these, and let two minutes pass after each."""
    lines: list[str] = []

    async def scenario() -> None:
        metrics = Metrics("service", lines.append, lambda: 0.0)
        running = asyncio.create_task(metrics.run())
        for notice in notices:
            metrics(notice)
            await asyncio.sleep(125)
        running.cancel()

    run_virtual(scenario())
    return [json.loads(line) for line in lines]


def test_workers_that_do_not_stop_are_counted_each_minute_and_cost_no_metric_otherwise() -> None:
    one, other = Unstopped("m1", "over", 300, "arn:1"), Unstopped("m2", "over", 300)
    written = _written(one, other, Stopped("m1", "arn:1"), Stopped("m2"))
    values = [line["UnstoppedWorkers"] for line in written if "UnstoppedWorkers" in line]
    assert values == [[1], [1], [2], [2], [2], [1], [1]]
