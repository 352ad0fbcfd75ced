"""A service and a workload, played in virtual time."""

from __future__ import annotations

from watchbot_cli.simulation.agenda import Agenda
from watchbot_cli.simulation.figures import Figures, Waits
from watchbot_cli.simulation.fleet import Fleet
from watchbot_cli.simulation.ledger import Ledger
from watchbot_cli.simulation.queue import Queue
from watchbot_cli.simulation.scaler import Scaler
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.workload import Workload

_PATIENCE_SECONDS = 24 * 3600.0
"""When no job has ended for so long, and for as long as one may take, nothing more is expected."""

_LONGEST_RETENTION_SECONDS = 14 * 86_400.0
"""No message lives longer: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""


def simulate(setting: Setting, workload: Workload, conditions: Conditions) -> Figures:
    """Play the workload until its jobs are done and the service is back at its minimum, or nothing happens any more.

    What is left two weeks after the last job was sent is left for good, as SQS keeps no message longer.
    The service has settled at its minimum before the first job. The same arguments give the same figures.
    """
    return _Simulation(setting, workload, conditions).play()


class _Simulation:
    def __init__(self, setting: Setting, workload: Workload, conditions: Conditions) -> None:
        self._workload = workload
        self._agenda = Agenda()
        self._ledger = Ledger(len(workload.sent))
        self._queue = Queue(self._agenda, self._ledger, len(workload.sent), setting.max_receives)
        self._fleet = Fleet(self._agenda, self._queue, setting, conditions, workload, self._ledger)
        self._scaler = Scaler(self._agenda, self._queue, self._fleet, setting, conditions, self._ledger)
        self._conditions = conditions
        self._sent = 0
        self._last_sent = workload.sent[-1] if workload.sent else 0.0
        self._patience = _PATIENCE_SECONDS + max(workload.durations, default=0.0)

    def play(self) -> Figures:
        agenda, fleet = self._agenda, self._fleet
        fleet.settle_in(self._scaler.target.desired)
        if self._workload.sent:
            agenda.at(self._workload.sent[0], self._send)
        for time in self._conditions.deploy_at_seconds:
            agenda.at(time, fleet.deploy)
        self._scaler.after_tick = self._look
        agenda.at(0.0, self._scaler.tick)
        agenda.run()
        fleet.settle_accounts()
        return self._figures()

    def _send(self, _: object) -> None:
        sent, visible, now = self._workload.sent, self._queue.visible, self._agenda.now
        while self._sent < len(sent) and sent[self._sent] <= now:
            visible.append(self._sent)
            self._sent += 1
        if self._sent < len(sent):
            self._agenda.at(sent[self._sent], self._send)
        self._fleet.serve()

    def _look(self) -> None:
        """Each minute, find out whether it is over."""
        now = self._agenda.now
        awaited = max(self._last_sent, self._ledger.ended_at, *self._conditions.deploy_at_seconds)
        is_done = self._sent == len(self._workload.sent) and self._queue.is_empty and now > awaited
        is_at_rest = self._fleet.count <= self._scaler.target.minimum and not self._fleet.deploying
        if (is_done and is_at_rest) or now - awaited > self._patience or self._is_too_late(now):
            self._agenda.stop()

    def _is_too_late(self, now: float) -> bool:
        return now - self._last_sent > _LONGEST_RETENTION_SECONDS

    def _figures(self) -> Figures:
        ledger, jobs = self._ledger, len(self._workload.sent)
        return Figures(
            jobs=jobs,
            finished=ledger.finished,
            waits=Waits.of(ledger.waits),
            dead_lettered=ledger.dead_lettered,
            drain_seconds=ledger.ended_at if ledger.finished + ledger.dead_lettered == jobs else None,
            killed=ledger.killed,
            interrupted=ledger.interrupted,
            timed_out=ledger.timed_out,
            refused_protection=ledger.refused_protection,
            held_back_at_seconds=self._queue.held_back_at,
            most_running=ledger.most_running,
            job_seconds=ledger.job_seconds,
            heartbeats=ledger.heartbeats,
            span_seconds=self._agenda.now,
            service=ledger.service,
            workers=ledger.workers,
            timeline=ledger.timeline,
        )
