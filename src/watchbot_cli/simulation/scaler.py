"""What happens each minute: metrics are published, alarms evaluated, policies called."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sized
from typing import Protocol

from watchbot_cli.simulation.agenda import Agenda
from watchbot_cli.simulation.alarm import Alarm
from watchbot_cli.simulation.ledger import Ledger, Sample
from watchbot_cli.simulation.metrics import PERIOD_SECONDS, Datapoint, Sleep
from watchbot_cli.simulation.scalable_target import ScalableTarget
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.step_scaling import EXACT, StepPolicy
from watchbot_cli.simulation.target_tracking import Tracking

_MINUTES_OF_A_WEEK = 7 * 24 * 60
_MINUTES_BEFORE = 60
"""So long the service has been idle, and its queue has said so unless it sleeps."""


class Backlog(Protocol):
    """What a queue says of itself."""

    @property
    def visible(self) -> Sized:
        """The messages that are visible."""

    @property
    def in_flight(self) -> int:
        """How many messages are in flight."""


class Service(Protocol):
    """What is scaled."""

    @property
    def running(self) -> int:
        """How many tasks run."""

    @property
    def desired(self) -> int:
        """How many tasks there shall be."""

    @property
    def deploying(self) -> bool:
        """Whether a deployment is in progress."""

    @property
    def complete_at(self) -> float:
        """When the last of the tasks launched so far runs, or has begun to."""

    def resize(self, desired: int) -> None:
        """Want another number of tasks."""


class Scaler:
    """Publishes a datapoint a minute; when it has reached the alarms, those in ALARM call their policies again.

    Other alarm actions happen once, those that scale each minute for as long as the state lasts.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
    """

    def __init__(
        self, agenda: Agenda, queue: Backlog, fleet: Service, setting: Setting, conditions: Conditions, ledger: Ledger
    ) -> None:
        self._agenda = agenda
        self._queue = queue
        self._fleet = fleet
        self._delay = conditions.metric_delay_seconds
        self._ledger = ledger
        self._sleep = Sleep(conditions.idle_before_seconds)
        self._alarms = [(Alarm(one.alarm), one.policy) for one in setting.steps]
        self._trackings = [Tracking(policy) for policy in setting.tracking]
        self._scheduled = setting.scheduled
        self._start = conditions.start
        self.target = ScalableTarget(
            setting.minimum, setting.maximum, scales_out=setting.scales_out, scales_in=setting.scales_in
        )
        self._remember()
        self.after_tick: Callable[[], None] = lambda: None

    def _remember(self) -> None:
        """Let the past be: limits that were due, and a queue that said that it was empty, unless it slept.

        Watchers that are there at least poll, and keep the queue awake.
        """
        for minute in range(-_MINUTES_OF_A_WEEK if self._scheduled else -_MINUTES_BEFORE, 0):
            self._keep_schedule(minute * PERIOD_SECONDS)
            there = self.target.minimum
            awake = self._sleep.is_awake(minute * PERIOD_SECONDS, touched=there > 0)
            if minute >= -_MINUTES_BEFORE:
                self._show(Datapoint(0, 0, 0, there, there) if awake else None, there)
        self.target.desired = self.target.minimum

    def _show(self, point: Datapoint | None, running: int) -> None:
        for alarm, _ in self._alarms:
            alarm.observe(point)
        for tracking in self._trackings:
            tracking.observe(point, running)

    def tick(self, _: object = None) -> None:
        """Publish this minute's datapoint, if the queue publishes any."""
        queue, fleet, now = self._queue, self._fleet, self._agenda.now
        point = Datapoint(len(queue.visible), queue.in_flight, 0, fleet.running, fleet.desired)
        outstanding = point.visible + point.not_visible
        self._ledger.timeline.append(Sample(now, outstanding, fleet.running, fleet.desired))
        self._keep_schedule(now)
        awake = self._sleep.is_awake(now, touched=outstanding > 0 or fleet.running > 0)
        self._agenda.at(now + self._delay, self._evaluate, point if awake else None)
        self._agenda.at(now + PERIOD_SECONDS, self.tick)
        self.after_tick()

    def _keep_schedule(self, now: float) -> None:
        """Set the limits that are due in this minute; fewer tasks than the minimum become more at once."""
        time = self._start + datetime.timedelta(seconds=now)
        for action in self._scheduled:
            if action.schedule.is_due(time):
                minimum = self.target.minimum if action.minimum is None else action.minimum
                maximum = self.target.maximum if action.maximum is None else action.maximum
                self.target.limit(minimum, max(minimum, maximum))

    def _evaluate(self, point: Datapoint | None) -> None:
        for alarm, policy in self._alarms:
            value = alarm.observe(point)
            if alarm.in_alarm and value is not None:
                self._step(policy, value - alarm.rule.threshold)
        for tracking in self._trackings:
            self._track(tracking, point)
        if self._fleet.desired != self.target.desired:
            self._fleet.resize(self.target.desired)
            self.target.complete(self._agenda.now, self._fleet.complete_at)

    def _step(self, policy: StepPolicy, breach: float) -> None:
        base = self.target.base(self._agenda.now, self._fleet.running)
        wanted = policy.capacity(base, breach)
        if wanted is None:
            return
        if policy.adjustment_type != EXACT and wanted > base:
            wanted = max(wanted, self.target.desired)  # tasks that are still starting are not taken away by an increase
        self._ask(wanted, policy.cooldown_seconds, base)

    def _track(self, tracking: Tracking, point: Datapoint | None) -> None:
        base, desired = self.target.base(self._agenda.now, self._fleet.running), self.target.desired
        wanted = tracking.observe(point, base)
        if wanted is None:
            return
        policy = tracking.policy
        if tracking.is_out:
            self._ask(max(wanted, desired), policy.out_cooldown_seconds, base)
        else:
            self._ask(min(wanted, desired), policy.in_cooldown_seconds, base)

    def _ask(self, wanted: int, cooldown_seconds: float, before: int) -> None:
        self.target.ask(self._agenda.now, wanted, cooldown_seconds, before=before, deploying=self._fleet.deploying)
