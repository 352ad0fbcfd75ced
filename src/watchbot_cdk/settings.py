"""What the construct tells the watcher."""

from __future__ import annotations

import dataclasses
from typing import Any

from aws_cdk import Duration, Tokenization
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from watchbot.contract import Settings
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.cluster import cluster_arn
from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.headers import attribute_of
from watchbot_cdk.instance_choice import run_task_constraints, run_task_strategies
from watchbot_cdk.log_group import log_group_name
from watchbot_cdk.messages import Messages
from watchbot_cdk.network import Network
from watchbot_cdk.problems import in_seconds, is_token
from watchbot_cdk.scaling import most_watchers
from watchbot_cdk.task_definition import definition_arn
from watchbot_cdk.webhook import Webhook

_BACKOFF_CAP_SECONDS = 900
_START_TIMEOUT_SECONDS = 600
_TOLERANCE_SECONDS = 300


def process_environment(
    arguments: Arguments, messages: Messages, log_group: logs.LogGroup, service: str, region: str
) -> dict[str, str]:
    """Render the settings of a watcher that runs a process for each message."""
    return _settings(arguments, messages, log_group, service, region).to_env(_render)


def task_environment(
    arguments: Arguments,
    messages: Messages,
    log_group: logs.LogGroup,
    service: str,
    region: str,
    *,
    network: Network,
    worker: ecs.TaskDefinition,
    payload_bucket: s3.IBucket,
) -> dict[str, str]:
    """Render the settings of a watcher that runs an ECS task for each message."""
    placement = arguments.placement
    interfaces = network.workers
    settings = dataclasses.replace(
        _settings(arguments, messages, log_group, service, region),
        cluster=cluster_arn(network.cluster),
        task_definition=definition_arn(worker),
        watchers=_at_least_one(most_watchers(arguments.watchers)),
        start_timeout_seconds=_seconds(arguments.start_timeout, _START_TIMEOUT_SECONDS),
        task_launch_type=placement.capacity.launch_type,
        task_capacity=tuple(
            (one.capacity_provider, _number(one.weight or 0)) for one in placement.capacity.providers or ()
        ),
        task_placement_constraints=run_task_constraints(placement.placement_constraints),
        task_placement_strategies=run_task_strategies(placement.placement_strategies),
        task_payload_bucket=payload_bucket.bucket_name,
        task_subnets=() if interfaces is None else interfaces.subnets.ids,
        task_security_groups=() if interfaces is None else interfaces.security_group_ids(),
        task_public_ip=interfaces is not None and interfaces.public_ip,
    )
    return settings.to_env(_render)


def _settings(
    arguments: Arguments, messages: Messages, log_group: logs.LogGroup, service: str, region: str
) -> Settings:
    failure_topic = arguments.notifications.failure_topic
    return Settings(
        queue_url=messages.queue_url,
        dead_letter_queue_url=messages.dead_letter_queue_url,
        max_receive_count=_number(arguments.max_receive_count),
        service=service,
        region=region,
        workers=_number(arguments.workers),
        watchers=1 if failure_topic is None else _at_least_one(most_watchers(arguments.watchers)),
        visibility_timeout_seconds=_seconds_of(arguments.visibility_timeout),
        job_timeout_seconds=_seconds(arguments.job_timeout, 0),
        backoff_base=arguments.backoff.base,
        backoff_cap_seconds=_seconds(arguments.backoff.cap, _BACKOFF_CAP_SECONDS),
        backoff_jitter=arguments.backoff.jitter,
        drain_seconds=arguments.worker.drain_seconds(arguments.isolation),
        exit_codes=tuple((outcome, _number(code)) for outcome, code in arguments.worker.exit_codes.by_outcome()),
        log_format=arguments.log_format,
        log_rate_bytes=arguments.log.rate_bytes,
        log_message_bodies=arguments.log.message_bodies,
        debug=arguments.log.debug,
        payload_bucket=None if arguments.payload_bucket is None else arguments.payload_bucket.bucket_name,
        delete_payloads=arguments.delete_payloads,
        work_topic=messages.topic_arn,
        log_group=log_group_name(log_group),
        progress_table=None if arguments.progress_table is None else arguments.progress_table.table_arn,
        notification_topic_arn=None if failure_topic is None else failure_topic.topic_arn,
        **arguments.aws_connection.settings(),
        **_hmac(arguments.ingress.webhook),
    )


def _hmac(webhook: Webhook | None) -> dict[str, Any]:
    if webhook is None or webhook.hmac is None:
        return {}
    hmac = webhook.hmac
    return {
        "hmac_secret": hmac.secret.secret_arn,
        "hmac_field": hmac.field,
        "hmac_header": attribute_of(hmac.header),
        "hmac_scheme": hmac.scheme,
        "hmac_algorithm": hmac.algorithm,
        "hmac_encoding": hmac.encoding,
        "hmac_prefix": hmac.prefix,
        "hmac_tolerance_seconds": _seconds(hmac.tolerance, _TOLERANCE_SECONDS),
        "hmac_on_invalid": hmac.on_invalid,
    }


def _seconds(duration: Duration | None, default: int) -> Any:
    return default if duration is None else _seconds_of(duration)


def _seconds_of(duration: Duration) -> Any:
    return _number(duration.to_seconds() if is_token(duration) else in_seconds(duration))


def _at_least_one(watchers: float) -> Any:
    """Count the watchers that share what an account is allowed: none at all run no code that divides by them."""
    return watchers if is_deploy_time(watchers) else max(1, _number(watchers))


def _number(value: float) -> Any:
    """Keep a number that is known only at deployment as the token it is; others are whole."""
    return int(value) if value == int(value) and value >= 0 else value


def _render(value: Any) -> str:
    """Turn one value into text; a number known only at deployment into the text of that number."""
    return Tokenization.stringify_number(value) if isinstance(value, int | float) else str(value)
