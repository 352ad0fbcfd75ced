"""Where a job runs once a watcher has received it: a process beside the watcher, or an ECS task of its own."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Protocol

from watchbot_cli.simulation.agenda import Agenda
from watchbot_cli.simulation.launch_budget import LaunchBudget
from watchbot_cli.simulation.ledger import Ledger
from watchbot_cli.simulation.queue import Queue
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.task import Ending, Task
from watchbot_cli.simulation.workload import Workload

HANDED_BACK_SECONDS = 10.0
"""A watcher of Isolation.TASK that is stopped hands its messages back for so long; the next one takes the tasks up."""


class Workplace(Protocol):
    """Begins jobs, and says what becomes of them when their watcher is stopped."""

    def begin(self, message: int) -> tuple[float, Ending]:
        """Begin the job of a message; give the time at which it ends, and how."""

    def abandon(self, task: Task) -> None:
        """Hear that a task is stopped with its jobs."""


class Processes:
    """Jobs are processes: they begin at once and end with their task; their messages return after the lease."""

    def __init__(self, agenda: Agenda, queue: Queue, setting: Setting, workload: Workload, ledger: Ledger) -> None:
        self._agenda = agenda
        self._queue = queue
        self._lease_seconds = setting.visibility_seconds
        self._longest_seconds = setting.longest_job_seconds
        self._workload = workload
        self._ledger = ledger

    def begin(self, message: int) -> tuple[float, Ending]:
        """Begin a process."""
        now = self._agenda.now
        self._ledger.start(message, now - self._workload.sent[message])
        return _ended(now, self._workload.durations[message], self._longest_seconds)

    def abandon(self, task: Task) -> None:
        """Kill the jobs."""
        self._ledger.killed += len(task.jobs)
        for message in task.jobs:
            self._queue.return_after(self._lease_seconds, message)


class WorkerTasks:
    """Jobs are ECS tasks, launched one call each; they outlive their watcher, and the next one takes them up."""

    def __init__(
        self,
        agenda: Agenda,
        queue: Queue,
        setting: Setting,
        workload: Workload,
        ledger: Ledger,
        conditions: Conditions,
        rng: random.Random,
        launches: Callable[[bool], LaunchBudget],
    ) -> None:
        self._agenda = agenda
        self._queue = queue
        self._setting = setting
        self._workload = workload
        self._ledger = ledger
        self._conditions = conditions
        self._rng = rng
        self._launches = launches
        self._calls = LaunchBudget.of_run_task()
        self._orphans: dict[int, tuple[float, Ending]] = {}

    def begin(self, message: int) -> tuple[float, Ending]:
        """Launch a task, or take up the one that another watcher has launched."""
        orphan = self._orphans.pop(message, None)
        if orphan is not None:
            return max(orphan[0], self._agenda.now), orphan[1]
        spot = self._rng.random() < self._setting.spot_share
        launched = self._launches(spot).take(self._calls.take(self._agenda.now))
        starts = launched + self._conditions.task_start_seconds
        self._ledger.start(message, starts - self._workload.sent[message])
        ends, ending = _ended(starts, self._workload.durations[message], self._setting.longest_job_seconds)
        rate = self._conditions.spot_interruptions_per_hour / 3600
        lost = starts + self._rng.expovariate(rate) if spot and rate else math.inf
        if lost < ends:
            ends, ending = lost, Ending.INTERRUPTED
        self._ledger.workers.add(ends - launched, spot=spot)
        return ends, ending

    def abandon(self, task: Task) -> None:
        """Hand the messages back; their tasks go on."""
        for message, job in task.jobs.items():
            self._orphans[message] = job
            self._queue.return_after(HANDED_BACK_SECONDS, message)


def _ended(starts: float, seconds: float, longest: float) -> tuple[float, Ending]:
    """Give when a job ends that nobody interrupts, and how."""
    return (starts + seconds, Ending.DONE) if seconds <= longest else (starts + longest, Ending.TIMED_OUT)
