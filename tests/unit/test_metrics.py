from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

from tests.simulation.virtual_time import run_virtual
from watchbot.contract import Metric, Outcome
from watchbot.message import Message
from watchbot.metrics import Metrics
from watchbot.notice import JobFinished, JobStarted, LeaseLost, Notice, Received, StartFailed
from watchbot.result import Result
from watchbot.settlement import Delete, Return

MESSAGE = Message("id", "handle", "body", {"SentTimestamp": "1000"}, {}, 0)


def _written(*notices: Notice) -> list[dict[str, Any]]:
    lines: list[str] = []
    metrics = Metrics("svc", lines.append, lambda: 3.5)
    for notice in notices:
        metrics(notice)
    metrics.flush()
    return [json.loads(line) for line in lines]


def _finished(outcome: Outcome, seconds: float = 2.0) -> JobFinished:
    return JobFinished(MESSAGE, Result(outcome, duration_seconds=seconds), Delete())


def _job(seconds: float) -> list[Notice]:
    return [JobStarted(MESSAGE, 0), _finished(Outcome.SUCCEEDED, seconds)]


def test_one_job_is_one_object_of_the_embedded_metric_format() -> None:
    (written,) = _written(Received(MESSAGE), JobStarted(MESSAGE, 0.25), _finished(Outcome.SUCCEEDED))
    directive = written["_aws"]["CloudWatchMetrics"][0]
    assert written["_aws"]["Timestamp"] == 3500
    assert (directive["Namespace"], directive["Dimensions"], written["Service"]) == ("Watchbot", [["Service"]], "svc")
    assert {one["Name"]: one["Unit"] for one in directive["Metrics"]} == {
        "MessageReceives": "Count",
        "WorkerSuccesses": "Count",
        "WorkerPending": "Milliseconds",
        "WorkerDuration": "Milliseconds",
        "ResponseDuration": "Milliseconds",
    }
    assert (written["MessageReceives"], written["WorkerSuccesses"]) == (1, 1)
    assert (written["WorkerPending"], written["WorkerDuration"], written["ResponseDuration"]) == ([250], [2000], [2500])


def test_a_forged_message_counts_as_that_and_as_no_error_of_the_workers() -> None:
    forged = JobFinished(MESSAGE, Result(Outcome.REJECTED, forged=True), Delete())
    (written,) = _written(Received(MESSAGE), forged)
    assert {one["Name"] for one in written["_aws"]["CloudWatchMetrics"][0]["Metrics"]} == {
        "MessageReceives",
        "InvalidSignatures",
    }


def test_every_outcome_counts_as_what_it_is() -> None:
    (written,) = _written(*(_finished(outcome) for outcome in Outcome), LeaseLost(MESSAGE))
    counted = {name: written[name] for name in (*Metric,) if name in written and isinstance(written[name], int)}
    assert counted == {
        "WorkerSuccesses": 1,
        "WorkerErrors": 4,
        "Rejected": 1,
        "NoOps": 1,
        "DeadLettered": 1,
        "TimedOut": 1,
        "Interrupted": 1,
        "LeaseLost": 1,
    }


def test_no_object_holds_more_than_a_hundred_values_and_counts_are_written_once() -> None:
    written = _written(*[notice for number in range(250) for notice in _job(number)])
    assert [len(one["WorkerDuration"]) for one in written] == [100, 100, 50]
    assert [one.get("WorkerSuccesses") for one in written] == [250, None, None]
    assert max(len(json.dumps(one)) for one in written) < 15_000


def test_a_start_that_fails_counts_once_for_each_distinct_reason_until_one_succeeds() -> None:
    failed = [StartFailed(MESSAGE, reason, 5) for reason in ("full", "full", "no image", "full")]
    (written,) = _written(*failed, JobStarted(MESSAGE, 0), StartFailed(MESSAGE, "full", 5))
    assert written["FailedWorkerPlacement"] == 3


def test_workers_that_do_not_start_are_told_of_each_minute_until_they_do() -> None:
    others = [dataclasses.replace(MESSAGE, message_id=name) for name in ("b", "c")]

    async def scenario() -> list[dict[str, Any]]:
        lines: list[str] = []
        metrics = Metrics("svc", lines.append, asyncio.get_running_loop().time)
        writing = asyncio.create_task(metrics.run())
        for message in (MESSAGE, *others):
            metrics(StartFailed(message, "full", 5))
        await asyncio.sleep(125)
        metrics(JobStarted(MESSAGE, 100))
        metrics(JobFinished(others[0], Result(Outcome.DID_NOT_START), Return(2)))
        await asyncio.sleep(60)
        metrics(JobFinished(others[1], Result(Outcome.INTERRUPTED), Return(0)))
        await asyncio.sleep(120)
        writing.cancel()
        return [json.loads(line) for line in lines]

    written = run_virtual(scenario())
    assert [one["UnplacedWorkers"] for one in written if "UnplacedWorkers" in one] == [[3], [3], [3], [1], [0]]


def test_nothing_to_say_writes_nothing_but_concurrency_each_minute() -> None:
    async def scenario() -> list[dict[str, Any]]:
        lines: list[str] = []
        metrics = Metrics("svc", lines.append, asyncio.get_running_loop().time)
        writing = asyncio.create_task(metrics.run())
        metrics(JobStarted(MESSAGE, 0))
        metrics(JobStarted(dataclasses.replace(MESSAGE, message_id="other"), 0))
        metrics(_finished(Outcome.SUCCEEDED))
        await asyncio.sleep(125)
        writing.cancel()
        return [json.loads(line) for line in lines]

    written = run_virtual(scenario())
    assert [one["WatcherConcurrency"] for one in written if "WatcherConcurrency" in one] == [[2], [1]]
    assert len(written) == 3


def test_a_number_that_json_lacks_spoils_no_other_metric() -> None:
    (written,) = _written(*_job(float("nan")), *_job(float("inf")), *_job(2.0))
    assert written["WorkerDuration"] == [2000]
    assert written["WorkerSuccesses"] == 3
