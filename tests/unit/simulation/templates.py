"""Templates of services that scale, as cdk synth writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

DESCRIPTION = {
    "version": 1,
    "isolation": "process",
    **dict.fromkeys(("topic_arn", "dead_letter_queue_url", "log_group", "cluster", "worker_task_definition"), "x"),
}


def step_policy(kind: str, steps: Sequence[Mapping[str, float]], **more: Any) -> dict[str, Any]:
    """A step policy of the target."""
    return {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "PolicyType": "StepScaling",
            "ScalingTargetId": {"Ref": "Target"},
            "StepScalingPolicyConfiguration": {"AdjustmentType": kind, "StepAdjustments": list(steps), **more},
        },
    }


def alarm(policy: str, comparison: str, threshold: float, periods: int, missing: str) -> dict[str, Any]:
    """An alarm on the outstanding messages."""
    names = {"visible": "ApproximateNumberOfMessagesVisible", "hidden": "ApproximateNumberOfMessagesNotVisible"}
    metrics: list[dict[str, Any]] = [{"Id": "backlog", "Expression": "visible + FILL(hidden, 0)"}]
    for name, metric in names.items():
        stat = {"Metric": {"Namespace": "AWS/SQS", "MetricName": metric}, "Period": 60, "Stat": "Maximum"}
        metrics.append({"Id": name, "MetricStat": stat, "ReturnData": False})
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmActions": [{"Ref": policy}],
            "ComparisonOperator": comparison,
            "Threshold": threshold,
            "EvaluationPeriods": periods,
            "DatapointsToAlarm": periods,
            "TreatMissingData": missing,
            "Metrics": metrics,
        },
    }


def container(**variables: Any) -> dict[str, Any]:
    """A container with these of Watchbot's settings."""
    return {
        "Name": "worker",
        "Environment": [{"Name": f"WATCHBOT_{name}", "Value": value} for name, value in variables.items()],
    }


def task_definition(
    *containers: dict[str, Any], cpu: int = 512, memory: int = 2048, arm: bool = False
) -> dict[str, Any]:
    """A task definition on Fargate."""
    architecture = {"RuntimePlatform": {"CpuArchitecture": "ARM64"}} if arm else {}
    properties = {"Cpu": str(cpu), "Memory": str(memory), "ContainerDefinitions": list(containers), **architecture}
    return {"Type": "AWS::ECS::TaskDefinition", "Properties": properties}


def watchbot(**variables: Any) -> dict[str, Any]:
    """A template with a Watchbot called Stack/svc that scales from 0 to 4 by two steps."""
    queue = {"QUEUE_URL": {"Ref": "Queue"}, "DEAD_LETTER_QUEUE_URL": {"Ref": "Dead"}, "CONTRACT_VERSION": "1"}
    description = {**DESCRIPTION, "service": "Stack/svc", "queue_url": "@", "ecs_service": "@"}
    text = json.dumps({**description, "task_definition": "x"}).split('"@"')
    output = {
        "Fn::Join": [
            "",
            [text[0] + '"', {"Ref": "Queue"}, '"' + text[1] + '"', {"Fn::GetAtt": ["Service", "Name"]}, '"' + text[2]],
        ]
    }
    ladder = [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 8, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 8, "ScalingAdjustment": 4},
    ]
    network = {"AwsvpcConfiguration": {"AssignPublicIp": "ENABLED"}}
    return {
        "Parameters": {"Most": {"Type": "Number", "Default": 4}, "Unknown": {"Type": "Number"}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Definition": task_definition(container(**{**queue, **variables}), arm=True),
            "Service": {
                "Type": "AWS::ECS::Service",
                "Properties": {"TaskDefinition": {"Ref": "Definition"}, "NetworkConfiguration": network},
            },
            "Target": {
                "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
                "Properties": {
                    "MinCapacity": 0,
                    "MaxCapacity": {"Ref": "Most"},
                    "ResourceId": {"Fn::Join": ["", ["service/cluster/", {"Fn::GetAtt": ["Service", "Name"]}]]},
                },
            },
            "Out": step_policy("ExactCapacity", ladder, Cooldown=120),
            "In": step_policy("ExactCapacity", [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": 0}]),
            "OutAlarm": alarm("Out", "GreaterThanOrEqualToThreshold", 1, 1, "notBreaching"),
            "InAlarm": alarm("In", "LessThanOrEqualToThreshold", 0, 3, "ignore"),
        },
        "Outputs": {"StacksvcWatchbot": {"Value": output}},
    }
