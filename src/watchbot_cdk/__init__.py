"""Watchbot for AWS CDK: a queue of work and a container image make a service.

from watchbot_cdk import Watchbot

Watchbot(stack, "svc", image=ecs.ContainerImage.from_asset("worker"))
"""

from __future__ import annotations

from watchbot.contract import Isolation, LogFormat
from watchbot_cdk.alarms import (
    Alarms,
    AtMaxCapacityAlarm,
    CpuUtilizationAlarm,
    DeadLetterAlarm,
    DwellTimeAlarm,
    FailedWorkerPlacementAlarm,
    MemoryUtilizationAlarm,
    MoreDeadLettersAlarm,
    QueueSizeAlarm,
    StalledAlarm,
    WorkerErrorRateAlarm,
    WorkerErrorsAlarm,
)
from watchbot_cdk.arguments import WatchbotArgumentError
from watchbot_cdk.aws_connection import AwsConnection
from watchbot_cdk.backoff import Backoff
from watchbot_cdk.capacity import Capacity
from watchbot_cdk.exit_codes import ExitCodes
from watchbot_cdk.hmac import Hmac
from watchbot_cdk.mount import Mount
from watchbot_cdk.reduce_mode import ReduceMode
from watchbot_cdk.s3_event import S3Event
from watchbot_cdk.scaling import Scaling, ScheduledMinimum
from watchbot_cdk.watchbot import Watchbot
from watchbot_cdk.watcher_image import WatcherImage
from watchbot_cdk.webhook import Webhook

__all__ = [
    "Alarms",
    "AtMaxCapacityAlarm",
    "AwsConnection",
    "Backoff",
    "Capacity",
    "CpuUtilizationAlarm",
    "DeadLetterAlarm",
    "DwellTimeAlarm",
    "ExitCodes",
    "FailedWorkerPlacementAlarm",
    "Hmac",
    "Isolation",
    "LogFormat",
    "MemoryUtilizationAlarm",
    "MoreDeadLettersAlarm",
    "Mount",
    "QueueSizeAlarm",
    "ReduceMode",
    "S3Event",
    "Scaling",
    "ScheduledMinimum",
    "StalledAlarm",
    "Watchbot",
    "WatchbotArgumentError",
    "WatcherImage",
    "Webhook",
    "WorkerErrorRateAlarm",
    "WorkerErrorsAlarm",
]
