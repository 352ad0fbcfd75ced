"""Where watchers and workers write, and where their lines are sent on to."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from watchbot_cdk.arguments import Arguments
from watchbot_cdk.log_retention import retention_days
from watchbot_cdk.remembered import remembered


def add_log_group(scope: Construct, arguments: Arguments) -> logs.LogGroup:
    """Create the log group, under the key given, else CloudWatch Logs' own; it goes with its stack."""
    log_group = logs.LogGroup(
        scope,
        "LogGroup",
        retention=retention_days(arguments.log_retention),
        encryption_key=arguments.encryption_key,
        removal_policy=RemovalPolicy.DESTROY,
    )
    if arguments.log.destination is not None:
        logs.SubscriptionFilter(
            scope,
            "LogDestination",
            log_group=log_group,
            destination=arguments.log.destination,
            filter_pattern=logs.FilterPattern.all_events(),
        )
    return log_group


@remembered
def log_group_name(log_group: logs.LogGroup) -> str:
    """Give its name."""
    return log_group.log_group_name
