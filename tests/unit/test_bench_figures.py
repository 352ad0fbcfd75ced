"""The bench's arithmetic; what it measures is no test's business."""

from __future__ import annotations

import json

import pytest
from bench.contender import MAPBOX, SPAWN_LOOP, WATCHBOT
from bench.figures import (
    SLEEP_FAR,
    TRUE_FAR,
    TRUE_NEAR,
    Runs,
    added_wait,
    best_cpu,
    best_rate,
    median_rate,
    most_requests,
    peak_mib,
    targets,
    times_as_fast,
)
from bench.latency import STEP_SECONDS, spread
from bench.race import Run
from bench.report import as_json


def _run(contender: str, rate: float, *, cpu: float = 0.001, mib: int = 50, requests: int = 20) -> Run:
    return Run(contender, 100, 100 / rate, cpu * 100, mib * 2**20, {"ReceiveMessage": requests})


def _runs(*, mapbox: bool = True) -> Runs:
    peers = {MAPBOX: [_run(MAPBOX, 20), _run(MAPBOX, 25)]} if mapbox else {}
    near = {WATCHBOT: [_run(WATCHBOT, 800), _run(WATCHBOT, 600, mib=70)], SPAWN_LOOP: [_run(SPAWN_LOOP, 1000)]}
    return {TRUE_NEAR: near | peers, TRUE_FAR: {WATCHBOT: [_run(WATCHBOT, 500)]} | peers, SLEEP_FAR: near | peers}


def test_the_best_counts_for_speed_and_the_worst_for_memory_and_requests() -> None:
    runs = [
        _run(WATCHBOT, 100, cpu=0.003, mib=40, requests=20),
        _run(WATCHBOT, 300, cpu=0.002, mib=60, requests=30),
        _run(WATCHBOT, 150, cpu=0.004, mib=50, requests=10),
    ]
    assert [best_rate(runs), median_rate(runs), peak_mib(runs)] == pytest.approx([300, 150, 60])
    assert [best_cpu(runs), most_requests(runs)] == pytest.approx([0.002, 0.3])


def test_contenders_are_compared_by_the_best_of_each() -> None:
    near = _runs()[TRUE_NEAR]
    assert times_as_fast(near, MAPBOX) == pytest.approx(32)
    assert times_as_fast(near, SPAWN_LOOP) == pytest.approx(0.8)
    assert times_as_fast(near, "somebody else") is None


def test_a_target_is_held_missed_or_not_measured() -> None:
    assert [one.held for one in targets(_runs(), 0.004)] == [True, True, False, False, True, False, True, True]
    without = targets(_runs(mapbox=False), 0.02)
    assert [one.held for one in without] == [None, True, None, None, True, False, True, False]


def test_the_watchers_wait_is_what_it_has_over_the_bare_client() -> None:
    assert added_wait({WATCHBOT: [0.05, 0.06, 0.07], "bare": [0.055, 0.01, 0.9]}, "bare") == pytest.approx(0.005)


def test_messages_are_sent_evenly_over_a_step_of_the_poll() -> None:
    assert sorted(spread(4)) == pytest.approx([0, STEP_SECONDS / 4, STEP_SECONDS / 2, STEP_SECONDS * 3 / 4])


def test_the_json_holds_every_run() -> None:
    runs = _runs()
    found = json.loads(as_json({"cores": 2}, runs, {WATCHBOT: 32}, {WATCHBOT: [0.05]}, targets(runs, 0.004)))
    assert found["machine"] == {"cores": 2}
    assert [run["seconds"] for run in found["runs"][TRUE_NEAR][MAPBOX]] == [5, 4]
    assert found["targets"][0]["held"] is True
