"""One workload, played by real watchers."""

from __future__ import annotations

import dataclasses
import os
import shlex
import subprocess
import sys
from pathlib import Path

from bench.scaling.real.agent import Agent
from bench.scaling.real.compressed_clock import CompressedClock
from bench.scaling.real.outcome import Outcome
from bench.scaling.real.real_queue import RealQueue, Sender
from bench.scaling.real.real_service import RealService
from watchbot.contract import Settings
from watchbot_cli.local.emulator import Emulator
from watchbot_cli.simulation.ledger import Ledger
from watchbot_cli.simulation.scaler import Scaler
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.workload import Workload

_LONGEST_SECONDS = 3 * 3600.0


class PlayError(Exception):
    """The jobs did not end."""


def play(setting: Setting, workload: Workload, conditions: Conditions, scale: float, folder: Path) -> Outcome:
    """Play it until all jobs are done and no watcher is left; a second takes ``scale`` real ones."""
    folder.mkdir()
    with Emulator(folder) as emulator:
        return _Play(setting, workload, conditions, CompressedClock(scale), folder, emulator).outcome()


class _Play:
    def __init__(
        self,
        setting: Setting,
        workload: Workload,
        conditions: Conditions,
        clock: CompressedClock,
        folder: Path,
        emulator: Emulator,
    ) -> None:
        self._setting = setting
        self._workload = workload
        self._clock = clock
        self._folder = folder
        self._emulator = emulator
        self._jobs = folder / "jobs"
        self._queue = RealQueue(emulator, "real")
        self._sender = Sender(clock, self._queue, workload)
        self._service = RealService(clock, self._launch, conditions.task_start_seconds)
        self._agent = Agent(self._service.protect)
        ledger = Ledger(len(workload.sent))
        self._scaler = Scaler(clock, self._queue, self._service, setting, conditions, ledger)
        self._scaler.after_tick = self._look

    def outcome(self) -> Outcome:
        clock = self._clock
        clock.at(self._workload.sent[0], self._sender.send)
        clock.at(0.0, self._scaler.tick)
        clock.at(0.0, self._service.look)
        with self._agent:
            try:
                clock.run()
            finally:
                self._service.close()
        outcome = Outcome.of_jobs(self._jobs, self._workload, clock, self._service.task_seconds)
        return dataclasses.replace(outcome, late_seconds=self._latest() / clock.scale)

    def _latest(self) -> float:
        """Read by how much watchers were late, and give the most."""
        lines = [line for log in self._folder.glob("watcher-*") for line in log.read_text().splitlines()]
        return max((float(line.split()[1]) for line in lines if line.startswith("late ")), default=0.0)

    def _look(self) -> None:
        """Each minute, find out whether it is over."""
        if self._clock.now > _LONGEST_SECONDS:
            raise PlayError(f"the jobs have not ended after {_LONGEST_SECONDS / 3600:g} hours: see {self._folder}")
        is_done = (
            self._sender.sent == len(self._workload.sent) and not self._queue.visible and not self._queue.in_flight
        )
        if is_done and not self._service.count:
            self._clock.stop()

    def _launch(self, number: int, moment: float) -> subprocess.Popen[bytes]:
        settings = Settings(
            queue_url=self._queue.url,
            dead_letter_queue_url=self._queue.dead_letter_url,
            workers=self._setting.workers,
        )
        environment = {
            "PATH": os.environ["PATH"],
            **self._emulator.environment(),
            **settings.to_env(),
            "ECS_AGENT_URI": self._agent.uri(number),
        }
        program = [sys.executable, "-m", "bench.scaling.real.compressed_watcher", str(moment), str(self._clock.scale)]
        with (self._folder / f"watcher-{number}").open("wb") as log:
            return subprocess.Popen(
                [*program, "listen", "--", "sh", "-c", _job_script(self._jobs)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


def _job_script(file: Path) -> str:
    """Sleep, and note when it began and ended."""
    out = shlex.quote(str(file))
    return (
        f'set -- $Message; echo "began $1 $(date +%s.%N)" >> {out}; sleep $2; echo "ended $1 $(date +%s.%N)" >> {out}'
    )
