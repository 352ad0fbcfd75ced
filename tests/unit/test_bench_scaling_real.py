"""The driver of real watchers: its service does what ECS does, and what is compared is compared as it says."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from typing import cast

import pytest
from bench.scaling.real.agent import Agent
from bench.scaling.real.compressed_clock import CompressedClock
from bench.scaling.real.outcome import Outcome, apart
from bench.scaling.real.real_service import RealService


class Process:
    """Ends when it is told to."""

    def __init__(self) -> None:
        self.ended = False

    def poll(self) -> int | None:
        return 0 if self.ended else None

    def terminate(self) -> None:
        self.ended = True


class Services:
    def __init__(self, desired: int) -> None:
        self.processes: list[Process] = []
        self.service = RealService(CompressedClock(1.0), self._launch, 45.0)
        self.service.resize(desired)

    def _launch(self, number: int, moment: float) -> subprocess.Popen[bytes]:
        self.processes.append(Process())
        return cast("subprocess.Popen[bytes]", self.processes[-1])

    @property
    def living(self) -> list[int]:
        return [number for number, one in enumerate(self.processes, 1) if not one.ended]


def test_a_protected_watcher_is_stopped_only_once_it_is_released() -> None:
    services = Services(2)
    assert services.service.protect(2, wish=True)
    services.service.resize(0)
    assert services.living == [2]
    services.service.protect(2, wish=False)
    assert services.living == []


def test_protection_is_refused_while_more_are_protected_than_desired() -> None:
    services = Services(2)
    assert services.service.protect(1, wish=True)
    assert services.service.protect(2, wish=True)
    services.service.resize(1)
    assert not services.service.protect(1, wish=True)
    assert services.living == [1, 2]


def test_a_watcher_that_has_ended_is_replaced() -> None:
    services = Services(2)
    services.processes[0].ended = True
    services.service.look()
    assert services.living == [2, 3]
    assert services.service.count == 2


def test_the_agent_answers_as_watchers_expect() -> None:
    with Agent(lambda number, wish: number == 1) as agent:
        assert _put(agent.uri(1)) == {"protection": {"ProtectionEnabled": True}}
        assert _put(agent.uri(2)) == {"failure": {"Reason": "DEPLOYMENT_BLOCKED"}}


def _put(uri: str) -> object:
    body = json.dumps({"ProtectionEnabled": True}).encode()
    request = urllib.request.Request(f"{uri}/task-protection/v1/state", body, method="PUT")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return json.load(opener.open(request, timeout=10))
    except urllib.error.HTTPError as error:
        return json.load(error)


def test_the_clock_keeps_each_events_own_time_however_late_it_happens() -> None:
    clock = CompressedClock(0.0001)
    seen: list[float] = []
    for time in (60.0, 0.0, 1.0):
        clock.at(time, lambda _: seen.append(clock.now))
    clock.run()
    assert seen == [0.0, 1.0, 60.0]
    assert clock.elapsed >= 60


def test_waits_below_a_minute_are_compared_by_the_minute() -> None:
    real = Outcome(wait_p50=0.01, wait_p95=2.0, drained=10.0, task_hours=1.0, repeated=0)
    simulated = Outcome(wait_p50=0.0, wait_p95=1.8, drained=10.5, task_hours=1.1, repeated=0)
    assert dict(apart(real, simulated)) == pytest.approx(
        {"wait_p50": -0.01, "wait_p95": -0.1, "drained": 0.05, "task_hours": 0.1}
    )
