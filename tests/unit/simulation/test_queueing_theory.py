"""The simulation agrees with what is known of queues without simulating."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from tests.unit.simulation.settings import CALM, fixed
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import duration_draw, steady


def _erlang_c_wait(servers: int, load: float, mean_seconds: float) -> float:
    """The mean wait of an M/M/c queue; ``load`` is in servers."""
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    waiting = last / (sum(load**k / math.factorial(k) for k in range(servers)) + last)
    return waiting * mean_seconds / (servers - load)


@pytest.mark.parametrize(("tasks", "workers", "busy"), [(1, 1, 0.5), (5, 1, 0.7), (2, 4, 0.7)])
def test_the_mean_wait_of_a_fixed_fleet_is_erlangs(tasks: int, workers: int, busy: float) -> None:
    servers, mean_seconds = tasks * workers, 10.0
    per_second = servers * busy / mean_seconds
    waits = []
    for seed in range(4):
        rng = random.Random(seed)
        workload = steady(per_second, 60_000 / per_second, duration_draw("exponential", mean_seconds, rng), rng)
        waits.append(simulate(fixed(tasks, workers=workers), workload, CALM).waits.mean or 0.0)
    assert statistics.mean(waits) == pytest.approx(_erlang_c_wait(servers, servers * busy, mean_seconds), rel=0.05)
