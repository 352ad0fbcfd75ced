"""The driver of real watchers: its service does what ECS does, and what is compared is compared as it says."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import cast

import pytest
from bench.scaling import real
from bench.scaling.real.__main__ import WORKLOADS, _verdict
from bench.scaling.real.agent import Agent
from bench.scaling.real.compressed_clock import CompressedClock
from bench.scaling.real.outcome import COMPARED, Outcome, apart
from bench.scaling.real.real_service import RealService

from watchbot_cli.simulation.peers import watchbot_ladder
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.simulation import simulate


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


def _outcome(**values: float) -> Outcome:
    return dataclasses.replace(Outcome(1.0, 2.0, 3.0, 4.0, 0), **values)  # type: ignore[arg-type]  # the fields vary


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, ""),
        ({"repeated": 1}, "W: 1 jobs ran more than once\n"),
        ({"drained": 2.0}, "W: simulated drained is +50.0% of the real one apart\n"),
    ],
)
def test_a_job_that_ran_twice_or_a_figure_too_far_apart_fails(
    other: dict[str, float], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _verdict({"W": (_outcome(), [_outcome(), _outcome(**other)])}) == bool(said)
    assert capsys.readouterr().err == said


FIGURES = json.loads((Path(real.__file__).with_name("figures.json")).read_text())["workloads"]


def test_the_committed_rows_of_the_simulator_are_todays() -> None:
    # Of app.py; that this setting is what is synthesised of it, tests/synth says.
    setting = watchbot_ladder(Setting(name="svc", minimum=0, maximum=8, workers=2))
    assert FIGURES.keys() == WORKLOADS.keys()
    for name, workload in WORKLOADS.items():
        simulated = Outcome.of_figures(simulate(setting, workload, Conditions()))
        assert simulated.repeated == 0
        for quantity, value in FIGURES[name]["simulated"].items():
            assert getattr(simulated, quantity) == pytest.approx(value, abs=0.006), (name, quantity)


@pytest.mark.parametrize("name", FIGURES)
def test_the_committed_figures_are_near_each_other_and_on_the_page(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs/simulation.md").read_text()
    simulated, measured = FIGURES[name]["simulated"], FIGURES[name]["real"]
    assert tuple(simulated) == tuple(measured) == COMPARED
    for at in (0, 1):
        one = Outcome(**{quantity: measured[quantity][at] for quantity in COMPARED}, repeated=0)
        assert all(abs(share) <= 0.03 for _, share in apart(one, Outcome(**simulated, repeated=0)))
    assert f"| simulated | {' | '.join(f'{value:.2f}' for value in simulated.values())} |" in page
    ranges = [" to ".join(dict.fromkeys(f"{value:.2f}" for value in measured[quantity])) for quantity in COMPARED]
    assert f"| | real, three times | {' | '.join(ranges)} |" in page
