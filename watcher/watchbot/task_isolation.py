"""Isolation.TASK put together: everything between a job and its ECS task."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from watchbot.call_budget import launches, reads
from watchbot.contract import Settings
from watchbot.ecs import Ecs
from watchbot.ecs_reads import EcsReads
from watchbot.launcher import Launcher
from watchbot.notice import Observer
from watchbot.placement import Placement
from watchbot.result import exit_outcomes
from watchbot.task_deadline import TaskDeadline
from watchbot.task_lookup import TaskLookup
from watchbot.task_message import TaskMessage
from watchbot.task_poller import TaskPoller
from watchbot.task_request import TaskRequest
from watchbot.task_runner import TaskRunner, TaskStarted


def task_runner(
    settings: Settings,
    ecs: Ecs,
    variables: Mapping[str, str],
    task_message: TaskMessage,
    task_started: TaskStarted,
    chance: random.Random,
    observe: Observer,
    now: Callable[[], float] = time.time,
) -> TaskRunner:
    """Make the runner; ``variables`` are those that all jobs share, ``now`` is the time that ECS dates tasks in."""
    placement = Placement(settings, chance)
    request = TaskRequest(settings, variables, placement)
    budgeted = EcsReads(ecs, reads(settings.watchers))
    return TaskRunner(
        Launcher(ecs, request, placement, launches(settings.watchers), chance),
        TaskLookup(budgeted, settings.task_definition or ""),
        TaskPoller(budgeted, settings.watchers),
        TaskDeadline(ecs, settings.start_timeout_seconds, settings.job_timeout_seconds, now, observe),
        task_message,
        task_started,
        workers=settings.workers,
        can_dead_letter=settings.dead_letter_queue_url is not None,
        outcomes=exit_outcomes(settings.exit_codes),
    )
