"""The simulation agrees with what is known of queues without simulating."""

from __future__ import annotations

import math
import random

import pytest

from tests.unit.simulation.settings import CALM, fixed
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import duration_draw, steady


def _erlang_c_wait(servers: int, load: float, mean_seconds: float) -> float:
    """The mean wait of an M/M/c queue; ``load`` is in servers."""
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    waiting = last / (sum(load**k / math.factorial(k) for k in range(servers)) + last)
    return waiting * mean_seconds / (servers - load)


@pytest.mark.parametrize(("tasks", "workers", "busy", "seed"), [(1, 1, 0.6, 3), (5, 1, 0.8, 4), (2, 4, 0.85, 5)])
def test_the_mean_wait_of_a_fixed_fleet_is_erlangs(tasks: int, workers: int, busy: float, seed: int) -> None:
    servers, mean_seconds = tasks * workers, 10.0
    rng = random.Random(seed)
    per_second = servers * busy / mean_seconds
    workload = steady(per_second, 150_000 / per_second, duration_draw("exponential", mean_seconds, rng), rng)
    waits = simulate(fixed(tasks, workers=workers), workload, CALM).waits
    assert waits.mean == pytest.approx(_erlang_c_wait(servers, servers * busy, mean_seconds), rel=0.05)
