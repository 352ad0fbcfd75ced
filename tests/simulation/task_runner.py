"""A task runner on a simulated ECS."""

from __future__ import annotations

import asyncio
import random

from tests.simulation.ecs import SimulatedEcs
from watchbot.contract import Settings
from watchbot.notice import Notice, Observer
from watchbot.payload_store import Payloads
from watchbot.reported_ecs import ReportedEcs
from watchbot.task_isolation import task_runner as make
from watchbot.task_message import TaskMessage
from watchbot.task_runner import TaskRunner


class ObservedTaskRunner(TaskRunner):
    """A runner that a watch hears, too."""

    observers: list[Observer]


def task_runner(ecs: SimulatedEcs, settings: Settings, payloads: Payloads | None = None) -> TaskRunner:
    """Make a runner as the program does, with the loop's time as ECS's."""
    shared = {"WorkTopic": "arn:topic"}
    message = TaskMessage(shared, payloads, settings.task_payload_bucket)
    now = asyncio.get_running_loop().time
    reported = ReportedEcs(ecs, ecs.troubles.append)
    observers: list[Observer] = [ecs.notices.append]

    def tell(notice: Notice) -> None:
        for observer in observers:
            observer(notice)

    runner = make(settings, reported, shared, message, lambda message_id, arn: None, random.Random(1), tell, now)
    runner.__class__ = ObservedTaskRunner
    runner.observers = observers  # type: ignore[attr-defined]
    return runner
