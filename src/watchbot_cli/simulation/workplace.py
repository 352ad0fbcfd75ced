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
from watchbot_cli.simulation.task import Task
from watchbot_cli.simulation.workload import Workload

HANDED_BACK_SECONDS = 10.0
"""A watcher of Isolation.TASK that is stopped hands its messages back for so long; the next one takes the tasks up."""

_MOST_RECEIVES = 10


class Workplace(Protocol):
    """Begins jobs, and says what becomes of them when their watcher is stopped."""

    def begin(self, message: int) -> float:
        """Begin the job of a message; give the time at which it ends."""

    def abandon(self, task: Task) -> None:
        """Hear that a task is stopped with its jobs."""


class Processes:
    """Jobs are processes: they begin at once and end with their task; their messages return after the lease."""

    def __init__(self, agenda: Agenda, queue: Queue, setting: Setting, workload: Workload, ledger: Ledger) -> None:
        self._agenda = agenda
        self._queue = queue
        self._lease_seconds = setting.visibility_seconds
        self._workload = workload
        self._ledger = ledger

    def begin(self, message: int) -> float:
        """Begin a process."""
        now = self._agenda.now
        self._ledger.start(message, now - self._workload.sent[message])
        return now + self._workload.durations[message]

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
        self._orphans: dict[int, float] = {}

    def begin(self, message: int) -> float:
        """Launch a task, or take up the one that another watcher has launched."""
        orphan = self._orphans.pop(message, None)
        if orphan is not None:
            return max(orphan, self._agenda.now)
        spot = self._rng.random() < self._setting.spot_share
        launched = self._launches(spot).take(self._calls.take(self._agenda.now))
        starts = launched + self._conditions.task_start_seconds
        self._ledger.start(message, starts - self._workload.sent[message])
        ends = starts + self._workload.durations[message]
        return self._interrupted(message, starts, launched, ends) if spot else self._end(launched, ends, spot=False)

    def abandon(self, task: Task) -> None:
        """Hand the messages back; their tasks go on."""
        for message, ends_at in task.jobs.items():
            self._orphans[message] = ends_at
            self._queue.return_after(HANDED_BACK_SECONDS, message)

    def _interrupted(self, message: int, starts: float, launched: float, ends: float) -> float:
        """Draw whether Spot interrupts the job: then it runs again from its beginning, in a task launched at once.

        Each interruption is a receive of its message, which is dead-lettered in the end: such a job never ends.
        """
        rate = self._conditions.spot_interruptions_per_hour / 3600
        for _ in range(_MOST_RECEIVES):
            lost = starts + self._rng.expovariate(rate) if rate else math.inf
            if lost >= ends:
                return self._end(launched, ends, spot=True)
            self._end(launched, lost, spot=True)
            self._ledger.interrupted += 1
            launched = lost
            starts = launched + self._conditions.task_start_seconds
            ends = starts + self._workload.durations[message]
        return math.inf

    def _end(self, launched: float, ends: float, *, spot: bool) -> float:
        self._ledger.workers.add(ends - launched, spot=spot)
        return ends
