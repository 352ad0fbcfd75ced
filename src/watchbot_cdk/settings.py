"""What the construct tells the watcher."""

from __future__ import annotations

from typing import Any

from aws_cdk import Tokenization
from aws_cdk import aws_logs as logs

from watchbot.contract import Settings
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.messages import Messages
from watchbot_cdk.network import Network

_BACKOFF_CAP_SECONDS = 900


def watcher_environment(
    arguments: Arguments,
    messages: Messages,
    log_group: logs.LogGroup,
    service: str,
    *,
    network: Network | None = None,
    task_definition_arn: str | None = None,
) -> dict[str, str]:
    """Render the watcher's settings; with a network and a task definition it runs an ECS task for each message."""
    cap = arguments.backoff.cap
    settings = Settings(
        queue_url=messages.queue.queue_url,
        dead_letter_queue_url=messages.dead_letter_queue.queue_url,
        max_receive_count=_number(arguments.max_receive_count),
        service=service,
        workers=_number(arguments.workers),
        visibility_timeout_seconds=_number(arguments.visibility_timeout.to_seconds()),
        job_timeout_seconds=0 if arguments.job_timeout is None else _number(arguments.job_timeout.to_seconds()),
        backoff_base=arguments.backoff.base,
        backoff_cap_seconds=_BACKOFF_CAP_SECONDS if cap is None else _number(cap.to_seconds()),
        backoff_jitter=arguments.backoff.jitter,
        log_format=arguments.log_format,
        payload_bucket=None if arguments.payload_bucket is None else arguments.payload_bucket.bucket_name,
        work_topic=messages.topic.topic_arn,
        log_group=log_group.log_group_name,
        cluster=None if network is None else network.cluster.cluster_arn,
        task_definition=task_definition_arn,
        task_subnets=() if network is None else network.subnet_ids(),
        task_security_groups=() if network is None else (network.security_group.security_group_id,),
        task_public_ip=network is not None and network.public_ip,
    )
    return settings.to_env(_render)


def _number(value: float) -> Any:
    """Keep a number that is known only at deployment as the token it is; others are whole."""
    return int(value) if value == int(value) and value >= 0 else value


def _render(value: Any) -> str:
    """Turn one value into text; a number known only at deployment into the text of that number."""
    return Tokenization.stringify_number(value) if isinstance(value, int | float) else str(value)
