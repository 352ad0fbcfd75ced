"""The ECS service: it keeps as many real watchers as are desired, and stops only those that hold no protection."""

from __future__ import annotations

import dataclasses
import subprocess
import threading
from collections.abc import Callable

from bench.scaling.real.compressed_clock import CompressedClock

Launch = Callable[[int, float], "subprocess.Popen[bytes]"]
"""Starts the process of the task of this number; its watcher is to begin at this moment."""

_LOOK_SECONDS = 1.0
_STOP_REAL_SECONDS = 30.0


@dataclasses.dataclass(slots=True, eq=False)
class RealTask:
    """A task: a watcher's process, from when it was launched on."""

    number: int
    process: subprocess.Popen[bytes]
    launched_at: float
    runs_from: float
    protected: bool = False
    stopping: bool = False


class RealService:
    """Looks each second whether a watcher has ended. Its agent calls ``protect`` from threads of its own."""

    def __init__(self, clock: CompressedClock, launch: Launch, start_seconds: float) -> None:
        self._clock = clock
        self._launch = launch
        self._start_seconds = start_seconds
        self._lock = threading.RLock()
        self._tasks: list[RealTask] = []
        self.desired = 0
        self.deploying = False
        self.launched = 0
        self.task_seconds = 0.0

    @property
    def count(self) -> int:
        """How many tasks there are."""
        return len(self._tasks)

    @property
    def running(self) -> int:
        """How many tasks have started and are not being stopped."""
        now = self._clock.elapsed
        return sum(one.runs_from <= now and not one.stopping for one in self._tasks)

    @property
    def complete_at(self) -> float:
        """When the last of the tasks that there are runs, or has begun to."""
        return max((one.runs_from for one in self._tasks), default=0.0)

    def resize(self, desired: int) -> None:
        """Want another number of tasks."""
        with self._lock:
            self.desired = desired
            self._reconcile()

    def protect(self, number: int, wish: bool) -> bool:
        """Protect a task or no longer; refused while more are protected than desired, as ECS does."""
        with self._lock:
            task = next((one for one in self._tasks if one.number == number), None)
            if task is None:
                return False
            others = sum(one.protected for one in self._tasks if one is not task)
            if wish and others >= self.desired:
                return False
            task.protected = wish
            self._reconcile()
            return True

    def look(self, _: object = None) -> None:
        """Find out who has ended, and replace whoever is missing."""
        with self._lock:
            for task in [one for one in self._tasks if one.process.poll() is not None]:
                self._end(task)
            self._reconcile()
        self._clock.at(self._clock.now + _LOOK_SECONDS, self.look)

    def close(self) -> None:
        """Stop everything, and count the time of what was left."""
        with self._lock:
            for task in self._tasks:
                task.process.terminate()
            for task in list(self._tasks):
                try:
                    task.process.wait(_STOP_REAL_SECONDS)
                except subprocess.TimeoutExpired:
                    task.process.kill()
                    task.process.wait()
                self._end(task)

    def _reconcile(self) -> None:
        kept = [one for one in self._tasks if not one.stopping]
        for _ in range(self.desired - len(kept)):
            self._add()
        stoppable = sorted((one for one in kept if not one.protected), key=lambda one: -one.runs_from)
        for task in stoppable[: max(0, len(kept) - self.desired)]:
            task.stopping = True
            task.process.terminate()

    def _add(self) -> None:
        self.launched += 1
        now = self._clock.elapsed
        runs_from = now + self._start_seconds
        process = self._launch(self.launched, self._clock.moment(runs_from))
        self._tasks.append(RealTask(self.launched, process, now, runs_from))

    def _end(self, task: RealTask) -> None:
        self._tasks.remove(task)
        self.task_seconds += self._clock.elapsed - task.launched_at
