"""Notifications of failed jobs put together: everything between a job's end and the topic."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping

from watchbot.aws_session import AwsAccess
from watchbot.contract import Event, Isolation, Settings
from watchbot.failure_report import Reporter
from watchbot.journal import Journal
from watchbot.notifier import Notifier
from watchbot.opener import Opener
from watchbot.sns import BotoSns
from watchbot.tail import OutputTails
from watchbot.task_log import BotoStreams, TaskLog
from watchbot.turns import Turns
from watchbot.whereabouts import Whereabouts


def notifier(
    settings: Settings,
    environment: Mapping[str, str],
    aws: AwsAccess,
    opener: Opener,
    tails: OutputTails,
    journal: Journal,
    chance: random.Random,
) -> Notifier | None:
    """Make the observer, where there is a topic to tell; processes leave their last lines in ``tails``."""
    if settings.notification_topic_arn is None:
        return None
    reporter = Reporter(
        settings.service,
        opener,
        Whereabouts(environment) if settings.isolation is Isolation.PROCESS else None,
        log_group=settings.log_group,
        shows_bodies=settings.log_message_bodies,
        now=time.time,
    )
    task_log = None
    if settings.isolation is Isolation.TASK and settings.log_group is not None:
        task_log = TaskLog(BotoStreams(settings.log_group, aws))

    def failed(problem: str) -> None:
        journal.event(Event.NOTIFICATION_FAILED, level="warning", reason=problem)

    topic = BotoSns(settings.notification_topic_arn, aws)
    return Notifier(reporter, topic, tails, task_log, Turns(settings.watchers, chance), failed, chance)
