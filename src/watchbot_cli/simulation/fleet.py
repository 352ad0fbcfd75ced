"""The ECS service: it keeps as many tasks as are desired, and its tasks work on the queue."""

from __future__ import annotations

import math
import random
from collections import deque

from watchbot.contract import Isolation
from watchbot_cli.simulation.agenda import Agenda
from watchbot_cli.simulation.launch_budget import LaunchBudget, ServiceRate
from watchbot_cli.simulation.ledger import Ledger
from watchbot_cli.simulation.queue import Queue
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.task import Ending, Task
from watchbot_cli.simulation.workload import Workload
from watchbot_cli.simulation.workplace import HANDED_BACK_SECONDS, Processes, WorkerTasks, Workplace

_SPOT_NOTICE_SECONDS = 110.0


class Fleet:
    """Tasks: launched within the rates of account and service, stopped when there are too many.

    Protected tasks are not stopped. A watcher renews its protection every five minutes; while more tasks are
    protected than desired the renewal is refused, and the task receives nothing more, finishes its jobs and ends.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
    """

    def __init__(
        self,
        agenda: Agenda,
        queue: Queue,
        setting: Setting,
        conditions: Conditions,
        workload: Workload,
        ledger: Ledger,
    ) -> None:
        self._agenda = agenda
        self._queue = queue
        self._setting = setting
        self._conditions = conditions
        self._workload = workload
        self._ledger = ledger
        self._rng = random.Random(conditions.seed)  # noqa: S311 - a simulation, not a secret
        self._launches = {False: LaunchBudget.of_fargate(), True: LaunchBudget.of_fargate()}
        self._rate = ServiceRate()
        self._workplace = self._workplace_for(setting.isolation)
        self._keeps_jobs = setting.isolation is Isolation.PROCESS and setting.protected
        self._service_spot = setting.spot_share if setting.isolation is Isolation.PROCESS else 0.0
        self._free: deque[Task] = deque()
        self.tasks: dict[Task, None] = {}
        self.leaving: dict[Task, None] = {}
        self.desired = 0
        self.running = 0
        self.complete_at = 0.0
        """When the last of the tasks launched so far runs, or has begun to."""
        self._generation = 0
        self.deploying = False
        """Whether tasks of an earlier generation are left."""
        queue.serve = self.serve

    @property
    def count(self) -> int:
        """How many tasks there are, those that are on their way out among them."""
        return len(self.tasks) + len(self.leaving)

    def settle_in(self, desired: int) -> None:
        """Begin with so many tasks that have run for long."""
        self.desired = desired
        for _ in range(desired):
            task = Task(self._agenda.now, self._generation, spot=self._rng.random() < self._service_spot)
            self.tasks[task] = None
            self._run(task)

    def resize(self, desired: int) -> None:
        """Want another number of tasks."""
        self.desired = desired
        self.reconcile()

    def deploy(self, _: object = None) -> None:
        """Replace every task: new ones first, then old ones, unless protected; or as the service's shares allow.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
        """
        self._generation += 1
        self.reconcile()

    def reconcile(self) -> None:
        """Do what the service scheduler does: launch what is missing, stop what is too much."""
        new = [task for task in self.tasks if task.generation == self._generation]
        old = len(self.tasks) - len(new)
        self.deploying = old > 0
        if old:
            ready, least = sum(task.running for task in new), math.ceil(self._setting.least_healthy * self.desired)
            self._shrink(old + ready - least, len(new) - self.desired)
        else:
            self._shrink(len(new) - self.desired, len(new) - self.desired)
        most = math.floor(self._setting.most_running * self.desired) if old else self.desired
        for _ in range(min(self.desired - len(new), most - len(self.tasks))):
            self._launch()

    def serve(self) -> None:
        """Give visible messages to free slots, for as long as there are both and more may be in flight."""
        free, queue = self._free, self._queue
        agenda, visible = self._agenda, queue.visible
        while visible and free and queue.has_room:
            task = free.popleft()
            if not task.receiving:
                continue
            message = queue.receive()
            ends_at, ending = self._workplace.begin(message)
            task.take(agenda.now, message, ends_at, ending)
            agenda.at(ends_at, self._finish, (task, message))

    def settle_accounts(self) -> None:
        """Count the time of the tasks that are left at the end."""
        for task in (*self.tasks, *self.leaving):
            self._bill(task)

    def _workplace_for(self, isolation: Isolation) -> Workplace:
        known = (self._agenda, self._queue, self._setting, self._workload, self._ledger)
        if isolation is Isolation.PROCESS:
            return Processes(*known)
        return WorkerTasks(*known, self._conditions, self._rng, lambda spot: self._launches[spot])

    def _launch(self) -> None:
        spot = self._rng.random() < self._service_spot
        launched_at = self._rate.take(self._launches[spot].take(self._agenda.now))
        task = Task(launched_at, self._generation, spot=spot)
        self.tasks[task] = None
        self.complete_at = max(self.complete_at, launched_at + self._conditions.task_start_seconds)
        self._agenda.at(launched_at + self._conditions.task_start_seconds, self._run, task)

    def _run(self, task: Task) -> None:
        if task.stopped:
            return
        task.running = task.receiving = True
        self.running += 1
        self._ledger.most_running = max(self._ledger.most_running, self.running + len(self.leaving))
        self._free.extend([task] * self._setting.workers)
        rate = self._conditions.spot_interruptions_per_hour / 3600
        if task.spot and rate:
            self._agenda.at(self._agenda.now + self._rng.expovariate(rate), self._interrupt, task)
        if self.deploying:
            self.reconcile()
        self.serve()

    def _finish(self, what: tuple[Task, int]) -> None:
        task, message = what
        job = task.jobs.pop(message, None)
        if job is None:
            return  # it was killed, and runs again
        now = self._agenda.now
        self._settle(message, job[1])
        if not task.jobs:
            task.idle_since = now
        if task.receiving:
            self._free.append(task)
            self.serve()
            if not task.jobs and self._keeps_jobs and (len(self.tasks) > self.desired or self.deploying):
                self._agenda.at(task.released_at, self._released, task)
        else:
            self.serve()
            if not task.jobs and task in self.tasks:
                self._stop(task)
                self.reconcile()

    def _settle(self, message: int, ending: Ending) -> None:
        match ending:
            case Ending.DONE:
                self._queue.delete()
                self._ledger.finish(self._agenda.now, self._workload.durations[message])
            case Ending.INTERRUPTED:
                self._ledger.interrupted += 1
                self._queue.return_after(HANDED_BACK_SECONDS, message)
            case Ending.TIMED_OUT:
                self._ledger.time_out(self._agenda.now)
                back_off = self._setting.backoff.seconds(self._queue.receives(message), self._rng)
                self._queue.return_after(back_off, message)

    def _released(self, task: Task) -> None:
        if not task.stopped and not task.is_protected(self._agenda.now):
            self.reconcile()

    def _shrink(self, surplus: int, surplus_of_new: int) -> None:
        """Stop so many tasks, if as many can be stopped: those of earlier generations, then those still starting."""
        if surplus <= 0:
            return
        now = self._agenda.now
        stoppable = [task for task in self.tasks if not (self._keeps_jobs and task.is_protected(now))]
        self._rng.shuffle(stoppable)
        stoppable.sort(key=lambda task: task.running)
        new = [task for task in stoppable if task.generation == self._generation]
        old = [task for task in stoppable if task.generation < self._generation]
        stopped = (old + new[: max(0, surplus_of_new)])[:surplus]
        for task in stopped:
            self._workplace.abandon(task)
            self._stop(task)
        if len(stopped) < surplus:
            self._await_renewals()
        self.deploying = any(task.generation < self._generation for task in self.tasks)

    def _await_renewals(self) -> None:
        now = self._agenda.now
        for task in self.tasks:
            if task.awaited or not task.is_protected(now):
                continue
            task.awaited = True
            self._agenda.at(task.renews_at(now) if task.jobs else task.released_at, self._renew, task)

    def _renew(self, task: Task) -> None:
        now = self._agenda.now
        task.awaited = False
        if task.stopped or not task.receiving:
            return
        if task.jobs and sum(one.is_protected(now) for one in self.tasks) > self.desired:
            self._ledger.refused_protection += 1
            task.receiving = False
        elif len(self.tasks) > self.desired or self.deploying:
            self.reconcile()

    def _interrupt(self, task: Task) -> None:
        """Spot takes a task back: it receives nothing more, and what runs longer than its notice is handed back.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
        """
        if task.stopped:
            return
        task.receiving = False
        self.tasks.pop(task, None)
        self.leaving[task] = None
        self.running -= 1
        self._agenda.at(self._agenda.now + _SPOT_NOTICE_SECONDS, self._take_back, task)
        self.reconcile()

    def _take_back(self, task: Task) -> None:
        self._ledger.interrupted += len(task.jobs)
        messages = list(task.jobs)
        del self.leaving[task]
        self._bill(task)
        task.stopped = True
        task.jobs.clear()
        for message in messages:
            self._queue.return_after(0, message)

    def _stop(self, task: Task) -> None:
        del self.tasks[task]
        self.running -= task.running
        self._bill(task)
        task.stopped, task.receiving = True, False
        task.jobs.clear()

    def _bill(self, task: Task) -> None:
        if self._agenda.now > task.launched_at:
            self._ledger.service.add(self._agenda.now - task.launched_at, spot=task.spot)
