"""How a service scales, read from its template: policies, and the alarms that call them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from watchbot_cli.errors import UsageError
from watchbot_cli.simulation.alarm import COMPARISONS, MISSING_DATA, STATISTICS, AlarmRule, Operand
from watchbot_cli.simulation.expression import Expression
from watchbot_cli.simulation.metrics import NAMES, PERIOD_SECONDS
from watchbot_cli.simulation.setting import AlarmedPolicy
from watchbot_cli.simulation.step_scaling import ADJUSTMENT_TYPES, Step, StepPolicy
from watchbot_cli.simulation.target_tracking import TrackingPolicy
from watchbot_cli.simulation.template import Template

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
_ALARM = "AWS::CloudWatch::Alarm"
_COOLDOWN_SECONDS = 300


class Policies:
    """The policies of a scalable target."""

    def __init__(self, template: Template, target: str) -> None:
        self._template = template
        self.steps: list[AlarmedPolicy] = []
        self.tracking: list[TrackingPolicy] = []
        self.notes: list[str] = []
        resource = template.properties(target).get("ResourceId")
        for name, properties in template.of_type(_POLICY):
            if template.referred(properties.get("ScalingTargetId"), TARGET) == target or (
                resource is not None and properties.get("ResourceId") == resource
            ):
                self._add(name, properties)

    def _add(self, name: str, properties: Mapping[str, Any]) -> None:
        steps: Mapping[str, Any] | None = properties.get("StepScalingPolicyConfiguration")
        tracking: Mapping[str, Any] = properties.get("TargetTrackingScalingPolicyConfiguration", {})
        metric: Mapping[str, Any] | None = tracking.get("CustomizedMetricSpecification")
        if steps is not None:
            policy = self._step_policy(name, steps)
            self.steps += [AlarmedPolicy(rule, policy) for rule in self._rules(name)]
        elif metric is not None:
            self.tracking.append(self._tracking_policy(name, metric, tracking))
        else:
            known = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "something else")
            self.notes.append(f"policy {name}, which tracks {known}, is not simulated")

    def _step_policy(self, name: str, configuration: Mapping[str, Any]) -> StepPolicy:
        number = self._template.number
        kind = configuration.get("AdjustmentType")
        if kind not in ADJUSTMENT_TYPES:
            raise UsageError(
                f"policy {name} has the AdjustmentType {kind!r}, which must be one of {', '.join(ADJUSTMENT_TYPES)}"
            )
        steps = [
            Step(
                self._template.whole(step["ScalingAdjustment"], f"a ScalingAdjustment of policy {name}"),
                number(step.get("MetricIntervalLowerBound", -math.inf), f"a lower bound of policy {name}"),
                number(step.get("MetricIntervalUpperBound", math.inf), f"an upper bound of policy {name}"),
            )
            for step in configuration.get("StepAdjustments", [])
        ]
        cooldown = number(configuration.get("Cooldown", _COOLDOWN_SECONDS), f"the Cooldown of policy {name}")
        magnitude = self._template.whole(
            configuration.get("MinAdjustmentMagnitude", 0), f"the MinAdjustmentMagnitude of policy {name}"
        )
        return StepPolicy(kind, steps, cooldown, magnitude)

    def _tracking_policy(self, name: str, metric: Mapping[str, Any], rest: Mapping[str, Any]) -> TrackingPolicy:
        number = self._template.number
        expression, operands, _ = self._metric(name, metric)
        return TrackingPolicy(
            expression,
            operands,
            number(rest["TargetValue"], f"the TargetValue of policy {name}"),
            number(rest.get("ScaleOutCooldown", _COOLDOWN_SECONDS), f"the ScaleOutCooldown of policy {name}"),
            number(rest.get("ScaleInCooldown", _COOLDOWN_SECONDS), f"the ScaleInCooldown of policy {name}"),
            scale_in=not rest.get("DisableScaleIn", False),
        )

    def _rules(self, policy: str) -> Iterator[AlarmRule]:
        for name, properties in self._template.of_type(_ALARM):
            if all(self._template.referred(one, _POLICY) != policy for one in properties.get("AlarmActions", [])):
                continue
            if self._template.truth(properties.get("ActionsEnabled", True), f"the ActionsEnabled of alarm {name}"):
                yield self._rule(name, properties)
            else:
                self.notes.append(f"alarm {name} has ActionsEnabled false, so it calls no policy")

    def _rule(self, name: str, properties: Mapping[str, Any]) -> AlarmRule:
        whole = self._template.whole
        expression, operands, period = self._metric(name, properties)
        comparison = str(properties.get("ComparisonOperator"))
        missing = str(properties.get("TreatMissingData", "missing"))
        if comparison not in COMPARISONS or missing not in MISSING_DATA:
            raise UsageError(f"alarm {name} cannot be simulated with {comparison} and TreatMissingData {missing}")
        periods = whole(properties.get("EvaluationPeriods", 1), f"the EvaluationPeriods of alarm {name}")
        return AlarmRule(
            name,
            expression,
            operands,
            comparison,
            self._template.number(properties.get("Threshold"), f"the Threshold of alarm {name}"),
            period,
            periods,
            whole(properties.get("DatapointsToAlarm", periods), f"the DatapointsToAlarm of alarm {name}"),
            missing,
        )

    def _metric(self, owner: str, properties: Mapping[str, Any]) -> tuple[Expression, dict[str, Operand], float]:
        """Read one metric, or several and the expression that is looked at."""
        if "MetricName" in properties:
            operand = self._operand(owner, properties["MetricName"], properties.get("Statistic", "Average"))
            period = self._period(owner, properties.get("Period", PERIOD_SECONDS))
            return Expression("m", owner), {"m": operand}, period
        queries = {query["Id"]: query for query in properties.get("Metrics", [])}
        operands: dict[str, Operand] = {}
        periods = {PERIOD_SECONDS}
        for name, query in queries.items():
            match query.get("MetricStat"):
                case {"Metric": {"MetricName": metric}, "Stat": statistic, **rest}:
                    operands[name] = self._operand(owner, metric, statistic)
                    periods.add(self._period(owner, rest.get("Period", PERIOD_SECONDS)))
                case _:
                    pass
        looked_at = next((one for one, query in queries.items() if query.get("ReturnData", True)), None)
        if looked_at is None:
            raise UsageError(f"{owner} looks at no metric: one of its Metrics must have ReturnData true")
        return self._expression(owner, queries, looked_at), operands, max(periods)

    def _expression(self, owner: str, queries: Mapping[str, Any], looked_at: str) -> Expression:
        written = queries[looked_at].get("Expression", looked_at)
        text = self._template.text(written)
        if text is None:
            raise UsageError(f"the expression of {owner} must be known before deployment, got {written!r}")
        expression = Expression(text, owner)
        unknown = sorted(one for one in expression.names if "MetricStat" not in queries.get(one, {}))
        if unknown:
            raise UsageError(f"the expression {text!r} of {owner} uses {', '.join(unknown)}, which is no metric of it")
        return expression

    def _operand(self, owner: str, metric: str, statistic: str) -> Operand:
        if metric not in NAMES:
            raise UsageError(f"{owner} looks at {metric}, which cannot be simulated: only {', '.join(NAMES)} can")
        if statistic not in STATISTICS:
            raise UsageError(f"{owner} has the statistic {statistic!r}, which must be one of {', '.join(STATISTICS)}")
        return Operand(NAMES[metric], statistic)

    def _period(self, owner: str, value: Any) -> float:
        period = self._template.number(value, f"the period of {owner}")
        if period < PERIOD_SECONDS or period % PERIOD_SECONDS:
            raise UsageError(f"the period of {owner} must be whole minutes, as SQS publishes, got {period:g} s")
        return period
