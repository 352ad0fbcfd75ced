"""How others scale the same service: what ``--compare`` and the bench of scaling put beside it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from watchbot.contract import Isolation
from watchbot_cli.simulation.alarm import AlarmRule, Operand
from watchbot_cli.simulation.expression import Expression
from watchbot_cli.simulation.ladder import ladder
from watchbot_cli.simulation.setting import AlarmedPolicy, Setting
from watchbot_cli.simulation.step_scaling import CHANGE, EXACT, PERCENT, Step, StepPolicy
from watchbot_cli.simulation.target_tracking import TrackingPolicy

_AT_LEAST = "GreaterThanOrEqualToThreshold"
_AT_MOST = "LessThanOrEqualToThreshold"
_VISIBLE = "visible"
_OUTSTANDING = "visible + hidden"
_LADDER_MINUTES_EMPTY = 3
MOST_TASKS = 5000
"""Of one ECS service: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""


def peers(service: Setting) -> Sequence[Setting]:
    """Give the settings to compare a service with: as many jobs at once in tasks of the same size, other policies."""
    service = _with_processes(service)
    return (queue_processing_service(service), ecs_watchbot(service), *backlog_trackings(service))


def backlog_trackings(service: Setting) -> Sequence[Setting]:
    """Give target tracking on one message for each slot: on those that wait, and on all outstanding.

    AWS's way is a Lambda function that publishes the first each minute. The second is metric math, for which Container
    Insights must publish RunningTaskCount: its price is that of one metric here, though more come with it.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
    """
    return (
        _tracking(service, "target tracking, waiting", _VISIBLE, metric_lambda=True),
        _tracking(service, "target tracking, outstanding", _OUTSTANDING, metric_lambda=False),
    )


def watchbot_ladder(service: Setting) -> Setting:
    """Give what Watchbot's ``Scaling`` does: exact steps on all outstanding messages, and none after three minutes."""
    out = _rule("out", _OUTSTANDING, _AT_LEAST, 1, missing="notBreaching")
    empty = _rule("in", _OUTSTANDING, _AT_MOST, 0, periods=_LADDER_MINUTES_EMPTY, missing="ignore")
    steps = ladder(service.lowest, service.maximum, service.workers)
    return dataclasses.replace(
        service,
        name="watchbot",
        protected=service.isolation is Isolation.PROCESS,
        tracking=(),
        steps=(
            AlarmedPolicy(out, StepPolicy(EXACT, steps)),
            AlarmedPolicy(empty, StepPolicy(EXACT, [Step(service.lowest, upper=0)])),
        ),
        alarm_metrics=4,
        metric_lambda=False,
    )


def queue_processing_service(service: Setting) -> Setting:
    """Give the defaults of CDK's QueueProcessingFargateService, less its policy on CPU: it never has fewer than 1 task.

    One task more from 100 visible messages on, five from 500, one less at none; the metric has periods of 5 minutes.
    https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_ecs_patterns.QueueProcessingFargateService.html
    """
    up = _rule("up", _VISIBLE, _AT_LEAST, 100, seconds=300)
    down = _rule("down", _VISIBLE, _AT_MOST, 0, seconds=300)
    return _unprotected(
        service,
        "QueueProcessingFargateService",
        minimum=max(1, service.minimum),
        max_receives=3,
        steps=(
            AlarmedPolicy(up, StepPolicy(CHANGE, [Step(1, 0, 400), Step(5, 400)])),
            AlarmedPolicy(down, StepPolicy(CHANGE, [Step(-1, upper=0)])),
        ),
        alarm_metrics=2,
        custom_metrics=0,
        metric_lambda=False,
    )


def ecs_watchbot(service: Setting) -> Setting:
    """Give what ecs-watchbot 10 does: a tenth of the maximum more every 5 minutes, all less after 10 empty ones.

    A Lambda function publishes each minute how many messages there are, as a metric of its own.
    """
    tenth = min(100, max(1, round(service.maximum / 10)))
    up = _rule("up", _VISIBLE, _AT_LEAST, 1, seconds=300)
    down = _rule("down", _OUTSTANDING, _AT_MOST, 0, seconds=600, statistic="Average")
    return _unprotected(
        service,
        "ecs-watchbot 10",
        minimum=service.minimum,
        max_receives=10,
        steps=(
            AlarmedPolicy(up, StepPolicy(CHANGE, [Step(tenth, 0)])),
            AlarmedPolicy(down, StepPolicy(PERCENT, [Step(-100, upper=0)])),
        ),
        alarm_metrics=2,
        custom_metrics=1,
        metric_lambda=True,
    )


def _with_processes(service: Setting) -> Setting:
    """Give a service whose tasks do the jobs themselves, as all others' do."""
    if service.isolation is Isolation.PROCESS:
        return service
    return dataclasses.replace(
        service,
        isolation=Isolation.PROCESS,
        job_timeout_seconds=math.inf,
        size=service.worker_size,
        workers=1,
        maximum=min(MOST_TASKS, service.maximum * service.workers),
    )


def _unprotected(
    service: Setting,
    name: str,
    *,
    minimum: int,
    max_receives: int,
    steps: Sequence[AlarmedPolicy],
    alarm_metrics: int,
    custom_metrics: int,
    metric_lambda: bool,
) -> Setting:
    return dataclasses.replace(
        service,
        name=name,
        minimum=minimum,
        maximum=max(minimum, service.maximum),
        max_receives=max_receives,
        steps=steps,
        tracking=(),
        protected=False,
        alarm_metrics=alarm_metrics,
        custom_metrics=custom_metrics,
        metric_lambda=metric_lambda,
        notes=(),
    )


def _tracking(service: Setting, name: str, backlog: str, *, metric_lambda: bool) -> Setting:
    expression = Expression(f"({backlog}) / MAX([running, 1])", name)
    policy = TrackingPolicy(expression, _operands(expression, "Average"), float(service.workers))
    return dataclasses.replace(
        service,
        name=name,
        steps=(),
        tracking=(policy,),
        protected=False,
        alarm_metrics=2 * (1 if metric_lambda else len(expression.names)),
        custom_metrics=1,
        metric_lambda=metric_lambda,
        notes=(),
    )


def _rule(
    name: str,
    backlog: str,
    comparison: str,
    threshold: float,
    *,
    seconds: float = 60,
    periods: int = 1,
    statistic: str = "Maximum",
    missing: str = "missing",
) -> AlarmRule:
    expression = Expression(backlog, name)
    operands = _operands(expression, statistic)
    return AlarmRule(name, expression, operands, comparison, threshold, seconds, periods, periods, missing)


def _operands(expression: Expression, statistic: str) -> dict[str, Operand]:
    fields = {"visible": "visible", "hidden": "not_visible", "running": "running"}
    return {name: Operand(fields[name], statistic) for name in expression.names}
