"""What the alarms of a template do over the course of hours: idle, slow, stuck, deployed, a full cluster."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from tests.synth.cloudwatch import Metrics, Minutes, evaluate, states
from tests.synth.template import synth_watchbot
from tests.synth.test_alarms import alarms_of
from watchbot.contract import Settings
from watchbot.metrics import Metrics as WatcherMetrics
from watchbot_cdk import Scaling

HOUR = 60
"""In minutes, as all times here."""

VISIBLE, HIDDEN = "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"


@pytest.fixture(scope="module")
def alarms() -> Mapping[str, dict[str, Any]]:
    return alarms_of(synth_watchbot())


def _each(minutes: range, value: float) -> Minutes:
    return {minute: [value] for minute in minutes}


def _metrics(**written: Minutes) -> Metrics:
    """Give what was written, by metrics' names; nothing of all the others."""
    return defaultdict(dict, written)


def _queue(visible: Minutes, hidden: Minutes, **written: Minutes) -> Metrics:
    return _metrics(**{VISIBLE: visible, HIDDEN: hidden}, **written)


def _ever_on(alarm: Mapping[str, Any], metrics: Metrics, minutes: int = 6 * HOUR) -> bool:
    return any(any(states(alarm, metrics, minutes, late=late)) for late in (0, 2))


def _dead_letters(visible: Minutes, hidden: Minutes) -> Metrics:
    return _metrics(**{f"dead.{VISIBLE}": visible, f"dead.{HIDDEN}": hidden})


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("visible + FILL(hidden, 0)", [3, None, 7]),
        ("IF(visible > 2 AND FILL(hidden, 0) == 0, 1, 0)", [1, None, 0]),
        ("DIFF(FILL(hidden, 0))", [None, 1, 1]),
        ("100 * visible / FILL(hidden, 0)", [None, None, 250]),
    ],
)
def test_metric_math_knows_what_is_missing(expression: str, result: list[float | None]) -> None:
    assert evaluate(expression, {"visible": [3, None, 5], "hidden": [None, 1, 2]}) == result


def test_an_idle_service_sets_off_nothing(alarms: Mapping[str, Any]) -> None:
    asleep = _metrics()
    awake = _queue(_each(range(6 * HOUR), 0), {}, WatcherConcurrency=_each(range(6 * HOUR), 0))
    assert not [name for name, alarm in alarms.items() for metrics in (asleep, awake) if _ever_on(alarm, metrics)]


def test_a_message_now_and_then_sets_off_nothing(alarms: Mapping[str, Any]) -> None:
    every = range(0, 6 * HOUR, 45)
    metrics = _queue(
        {**_each(range(6 * HOUR), 0), **_each(every, 1)},
        _each(every, 1),
        WorkerSuccesses=_each(every, 1),
        ResponseDuration=_each(every, 20_000),
    )
    assert not [name for name, alarm in alarms.items() if _ever_on(alarm, metrics)]


def test_slow_but_working_is_not_stalled(alarms: Mapping[str, Any]) -> None:
    successes = _each(range(0, 6 * HOUR, 50), 1)
    metrics = _queue(_each(range(6 * HOUR), 30), _each(range(6 * HOUR), 1), WorkerSuccesses=successes)
    assert not _ever_on(alarms["Stalled"], metrics)


@pytest.mark.parametrize("late", [0, 2])
def test_stuck_is_stalled_after_an_hour_and_until_a_job_succeeds(alarms: Mapping[str, Any], late: int) -> None:
    successes = {**_each(range(HOUR), 9), **_each(range(4 * HOUR, 6 * HOUR), 9)}
    metrics = _queue(_each(range(6 * HOUR), 5), _each(range(HOUR), 1), WorkerSuccesses=successes)
    on = states(alarms["Stalled"], metrics, 6 * HOUR, late=late)
    assert 2 * HOUR - 5 <= on.index(True) <= 2 * HOUR + late
    assert all(on[2 * HOUR + late : 4 * HOUR])
    assert not any(on[4 * HOUR + late + 1 :])


def test_stuck_with_every_message_in_flight_is_stalled_too(alarms: Mapping[str, Any]) -> None:
    metrics = _queue(_each(range(6 * HOUR), 0), _each(range(6 * HOUR), 1))
    assert _ever_on(alarms["Stalled"], metrics)


def test_a_service_that_has_never_worked_is_stalled(alarms: Mapping[str, Any]) -> None:
    assert _ever_on(alarms["Stalled"], _queue(_each(range(6 * HOUR), 1), {}))


def test_a_backlog_that_all_watchers_can_take_at_once_is_no_news_and_half_an_hour_of_more_is() -> None:
    scaled = alarms_of(synth_watchbot(watchers=Scaling(max=10), workers=4))
    assert "QueueSize" not in scaled
    full, more = range(60, 180), range(180, 240)
    visible = {**_each(full, 0), **_each(more, 1), **_each(range(240, 6 * HOUR), 0)}
    metrics = _queue(visible, _each(range(60, 240), 40))
    on = states(scaled["AtMaxCapacity"], metrics, 6 * HOUR)
    assert 180 + 25 <= on.index(True) <= 180 + 35
    assert not any(on[240 + 6 :])


@pytest.mark.parametrize("gap", [range(100, 120), range(100, 150)])
def test_the_gap_of_a_deployment_is_not_stalled(alarms: Mapping[str, Any], gap: range) -> None:
    working = [minute for minute in range(6 * HOUR) if minute not in gap]
    metrics = _queue(
        _each(range(6 * HOUR), 20), {minute: [4] for minute in working}, WorkerSuccesses={m: [5] for m in working}
    )
    assert not _ever_on(alarms["Stalled"], metrics)


def test_one_poison_message_between_good_ones_is_no_matter_of_rates(alarms: Mapping[str, Any]) -> None:
    metrics = _metrics(WorkerErrors=_each(range(0, 6 * HOUR, 2), 1), WorkerSuccesses=_each(range(6 * HOUR), 4))
    assert not _ever_on(alarms["WorkerErrorRate"], metrics)


def test_a_few_failures_alone_are_no_rate(alarms: Mapping[str, Any]) -> None:
    assert not _ever_on(alarms["WorkerErrorRate"], _metrics(WorkerErrors=_each(range(6 * HOUR), 1)))


@pytest.mark.parametrize("successes", [{}, _each(range(6 * HOUR), 2)])
def test_when_most_jobs_fail_for_a_quarter_of_an_hour_the_rate_is_told(
    alarms: Mapping[str, Any], successes: Minutes
) -> None:
    metrics = _metrics(WorkerErrors=_each(range(HOUR, 2 * HOUR), 3), WorkerSuccesses=successes)
    on = states(alarms["WorkerErrorRate"], metrics, 6 * HOUR, late=1)
    assert HOUR + 10 <= on.index(True) <= HOUR + 16
    assert not any(on[2 * HOUR + 6 :])


def test_dead_letters_are_told_of_once_and_every_later_one_again(alarms: Mapping[str, Any]) -> None:
    letters = {**_each(range(10), 0), **_each(range(10, 50), 1), **_each(range(50, 90), 3), **_each(range(90, 120), 0)}
    metrics = _dead_letters(letters, {})
    first = states(alarms["DeadLetter"], metrics, 2 * HOUR)
    more = states(alarms["MoreDeadLetters"], metrics, 2 * HOUR)
    assert [minute for minute, on in enumerate(first) if on] == [*range(10, 90)]
    assert [minute for minute, on in enumerate(more) if on] == [50]


def test_dead_letters_that_someone_looks_at_are_no_more_than_before(alarms: Mapping[str, Any]) -> None:
    looking = range(20, 30)
    visible = {minute: [1 if minute in looking else 3] for minute in range(60)}
    assert not _ever_on(alarms["MoreDeadLetters"], _dead_letters(visible, _each(looking, 2)), HOUR)


FULL = range(10, 40)


async def _half_an_hour_of_a_full_cluster(workers: int) -> list[dict[str, Any]]:
    """Let a watcher run for three hours with more messages than fit, and give the metrics it wrote."""
    settings = Settings(
        queue_url="https://queue",
        dead_letter_queue_url="https://dead",
        workers=workers,
        cluster="cluster",
        task_definition="family",
    )
    sqs, ecs = SimulatedSqs(), SimulatedEcs()
    now = asyncio.get_running_loop().time
    ecs.refuses = lambda: "RESOURCE:MEMORY" if now() // 60 in FULL else None
    watch = Watch(sqs, task_runner(ecs, settings))
    lines: list[str] = []
    metrics = WatcherMetrics("svc", lines.append, now)
    watch.listeners.append(metrics)
    writing = asyncio.create_task(metrics.run())
    for _ in range(60):
        sqs.put("x")
        await watch.after(60)
    await watch.after(2 * 3600)
    writing.cancel()
    await watch.stopped()
    assert len(sqs.deleted) == 60
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("workers", [1, 20])
def test_half_an_hour_of_a_full_cluster_is_one_alarm_that_ends_when_there_is_room(
    alarms: Mapping[str, Any], workers: int
) -> None:
    written: defaultdict[str, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for line in run_virtual(_half_an_hour_of_a_full_cluster(workers)):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]:
            value = line[metric["Name"]]
            minute = written[metric["Name"]][line["_aws"]["Timestamp"] // 60_000]
            minute.extend(value if isinstance(value, list) else [value])
    # What SQS would say, at its worst: everything that came during the half hour waits until it is over.
    waiting = {minute: [max(0, minute - FULL.start) if minute in FULL else 0] for minute in range(3 * HOUR)}
    metrics = _queue(waiting, {minute: [1] for minute in range(HOUR)}, **written)
    on = {name: states(alarm, metrics, 3 * HOUR, late=1) for name, alarm in alarms.items()}
    assert [name for name, course in on.items() if any(course)] == ["FailedWorkerPlacement"]
    course = on["FailedWorkerPlacement"]
    begins = [minute for minute in range(1, 3 * HOUR) if course[minute] and not course[minute - 1]]
    assert len(begins) == 1
    assert FULL.start + 9 <= begins[0] <= FULL.start + 13
    assert not any(course[FULL.stop + 8 :])
