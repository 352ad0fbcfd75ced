from __future__ import annotations

import asyncio
import json

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import EXIT_CODES, Settings
from watchbot.ecs import EcsError
from watchbot.notice import JobFinished, StartFailed


def _watch(
    sqs: SimulatedSqs,
    ecs: SimulatedEcs,
    *,
    workers: int = 1,
    job_timeout_seconds: int = 0,
    exit_codes: tuple[tuple[str, int], ...] = EXIT_CODES,
) -> Watch:
    settings = Settings(
        queue_url="https://queue",
        dead_letter_queue_url="https://dead",
        workers=workers,
        job_timeout_seconds=job_timeout_seconds,
        exit_codes=exit_codes,
        cluster="cluster",
        task_definition="family",
        task_subnets=("subnet-1",),
        task_security_groups=("sg-1",),
        task_public_ip=True,
    )
    runner = task_runner(ecs, settings)
    return Watch(sqs, runner, max_polls=8)


def _outcomes(watch: Watch) -> list[str]:
    return [notice.result.outcome.value for notice in watch.told(JobFinished) if isinstance(notice, JobFinished)]


def test_a_message_is_one_task_with_the_message_in_its_environment() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        sqs.put("the text")
        watch = _watch(sqs, ecs)
        await watch.after(100)
        await watch.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert list(sqs.deleted) == ["m1"]
    request = ecs.requests[0]
    assert request["startedBy"] == "wb-m1"
    assert request["propagateTags"] == "TASK_DEFINITION"
    assert request["tags"] == [{"key": "watchbot:family", "value": "family"}]
    assert request["networkConfiguration"] == {
        "awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"}
    }
    container = request["overrides"]["containerOverrides"][0]
    variables = {one["name"]: one["value"] for one in container["environment"]}
    assert container["name"] == "worker"
    assert (variables["Message"], variables["WorkTopic"]) == ("the text", "arn:topic")


def test_a_thousand_tasks_are_followed_with_a_hundred_a_call() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=300)
        sqs.put(*["x"] * 1000)
        watch = _watch(sqs, ecs, workers=1000)
        await watch.after(400)
        await watch.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert len(sqs.deleted) == 1000
    assert ecs.calls.count("describe_tasks") <= 5.1 * 310  # ten calls every two seconds


def test_a_lost_answer_never_starts_a_second_task() -> None:
    async def scenario() -> SimulatedEcs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.lose_answers = 2
        sqs.put("x")
        watch = _watch(sqs, ecs)
        await watch.after(100)
        await watch.stopped()
        assert list(sqs.deleted) == ["m1"]
        return ecs

    ecs = run_virtual(scenario())
    assert len(ecs.tasks) == 1
    assert len({json.dumps(request) for request in ecs.requests}) == 1


def test_a_conflict_names_the_task_that_runs_already() -> None:
    async def scenario() -> SimulatedEcs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        sqs.put("x")
        first = _watch(sqs, ecs)
        await first.after(5)
        await first.stopped()
        ecs.tasks["arn:task/1"]["startedBy"] = "not listed yet"
        second = _watch(sqs, ecs)
        await second.after(100)
        await second.stopped()
        assert list(sqs.deleted) == ["m1"]
        return ecs

    assert len(run_virtual(scenario()).tasks) == 1


@pytest.mark.parametrize("remembers_refusals", [False, True])
def test_a_full_cluster_is_tried_again_and_burns_no_attempt(remembers_refusals: bool) -> None:
    """Whether or not a launch that ECS has refused uses up its token, which the reference leaves open."""

    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        ecs.remembers_refusals = remembers_refusals
        ecs.failures = ["RESOURCE:MEMORY", "RESOURCE:CPU"]
        sqs.put("x")
        watch = _watch(sqs, ecs)
        await watch.after(200)
        await watch.stopped()
        return sqs, ecs, watch

    sqs, ecs, watch = run_virtual(scenario())
    assert list(sqs.deleted) == ["m1"]
    assert len({request["clientToken"] for request in ecs.requests}) == (3 if remembers_refusals else 1)
    assert len({json.dumps(request) for request in ecs.requests}) == len(ecs.requests)
    reasons = [notice.reason for notice in watch.told(StartFailed) if isinstance(notice, StartFailed)]
    assert reasons == ["ECS placed no task: RESOURCE:MEMORY", "ECS placed no task: RESOURCE:CPU"]
    assert _outcomes(watch) == ["succeeded"]


def test_a_drain_stops_no_task_and_the_next_watcher_adopts_it() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, float]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=600)
        sqs.put("x")
        first = _watch(sqs, ecs, workers=2)
        await first.after(60)
        asked_at = asyncio.get_running_loop().time()
        await first.stopped()
        drained_in = asyncio.get_running_loop().time() - asked_at
        assert sqs.stored["m1"].returned == [10]
        second = _watch(sqs, ecs, workers=2)
        await second.after(700)
        await second.stopped()
        return sqs, ecs, drained_in

    sqs, ecs, drained_in = run_virtual(scenario())
    assert list(sqs.deleted) == ["m1"]
    assert len(ecs.tasks) == 1
    assert ecs.stops == []
    assert drained_in <= 20


def test_a_task_that_finished_while_no_watcher_lived_is_settled_without_a_second_run() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=30, exit_code=3)
        sqs.put("x")
        first = _watch(sqs, ecs)
        await first.after(5)
        await first.stopped()
        await asyncio.sleep(100)
        second = _watch(sqs, ecs)
        await second.after(20)
        await second.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert list(sqs.deleted) == ["m1"]
    assert len(ecs.tasks) == 1


def test_a_failed_task_is_not_settled_twice_but_run_again() -> None:
    async def scenario() -> SimulatedEcs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=10, exit_code=1)
        sqs.put("x")
        watch = _watch(sqs, ecs)
        await watch.after(60)
        await watch.stopped()
        return ecs

    ecs = run_virtual(scenario())
    assert len(ecs.tasks) >= 3


def test_the_service_says_which_exit_codes_of_a_task_remove_its_message() -> None:
    async def scenario() -> list[str]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=30, exit_code=99)
        sqs.put("x")
        watch = _watch(sqs, ecs, exit_codes=(("rejected", 99),))
        await watch.after(100)
        await watch.stopped()
        return _outcomes(watch)

    assert run_virtual(scenario()) == ["rejected"]


def test_over_the_job_timeout_a_task_is_stopped_and_has_timed_out() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=10_000)
        sqs.put("x")
        watch = _watch(sqs, ecs, job_timeout_seconds=60)
        await watch.after(66)
        await watch.stopped()
        return sqs, ecs, watch

    _, ecs, watch = run_virtual(scenario())
    assert ecs.stops == [("arn:task/1", "watchbot:timed_out")]
    assert _outcomes(watch)[0] == "timed_out"


def test_a_poller_that_is_throttled_slows_down_and_misses_nothing() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=100)
        sqs.put("x")
        ecs.fault = lambda name, number: EcsError("slow down") if name == "describe_tasks" and number < 6 else None
        watch = _watch(sqs, ecs)
        await watch.after(400)
        await watch.stopped()
        return sqs, ecs

    sqs, ecs = run_virtual(scenario())
    assert list(sqs.deleted) == ["m1"]
    assert ecs.calls.count("describe_tasks") <= 20


def test_a_message_that_no_task_can_carry_is_dead_lettered_with_the_reason() -> None:
    async def scenario() -> SimulatedSqs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        sqs.put("x" * 9000)
        watch = _watch(sqs, ecs)
        await watch.after(5)
        await watch.stopped()
        assert ecs.requests == []
        return sqs

    reason = run_virtual(scenario()).dead_letters[0]["MessageAttributes"]["watchbot.Reason"]["StringValue"]
    assert "does not fit into the environment of an ECS task" in reason
