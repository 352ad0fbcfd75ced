"""What reviewers of security say of what we create, and every right of every role."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from cdk_nag import AwsSolutionsChecks

from tests.synth.template import Template, placeholders

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/app.py"))


def _findings(app: App) -> list[str]:
    """What cdk-nag finds that nobody has given a reason for."""
    report = AwsSolutionsChecks(app).validate_scope(app)
    return [
        f"{found.rule_name} at {resource.construct_path}"
        for found in report.violations
        for resource in found.violating_resources
    ]


def test_nothing_is_found_that_has_no_reason(reviewed: tuple[App, dict[str, Template]]) -> None:
    assert _findings(reviewed[0]) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_nothing_is_found_in_an_example(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apps: list[App] = []

    def synth(app: App) -> None:
        apps.append(app)

    monkeypatch.setattr(App, "synth", synth)
    runpy.run_path(str(example), run_name="__main__")
    assert [finding for app in apps for finding in _findings(app)] == []
    assert len(apps) == 1


# What may be done with more than one resource, and why.
WILDCARDS = {
    ("ecs:ListTasks", "*"): "the action knows no resource; a condition keeps it to the cluster",
    ("ecr:GetAuthorizationToken", "*"): "the action knows no resource",
    ("ecs:RunTask", ":task-definition/"): "old watchers run the old revision during a deployment",
    ("ecs:TagResource", ":task/"): "a task has no name before it runs; a condition keeps it to that moment",
    ("ecs:DescribeTasks", ":task/"): "a task has no name before it runs",
    ("ecs:StopTask", ":task/"): "a task has no name before it runs",
    ("ecs:UpdateTaskProtection", ":task/"): "a task has no name before it runs",
    ("logs:GetLogEvents", ":log-stream:watchbot/worker/"): "a worker's stream is named by its task",
    ("s3:GetObject", "ayload"): "each payload is an object of its own",
    ("s3:PutObject", "ayload"): "each payload is an object of its own",
    ("s3:DeleteObject", "ayload"): "each payload is an object of its own",
}


def _statements(template: Template) -> Iterator[dict[str, Any]]:
    for policy in [
        *template.of_type("AWS::IAM::Policy").values(),
        *template.of_type("AWS::IAM::ManagedPolicy").values(),
    ]:
        yield from policy["PolicyDocument"]["Statement"]
    for name, role in template.of_type("AWS::IAM::Role").items():
        if not name.startswith("WatchbotApiGatewayRole"):  # all APIs of the account write their logs with it
            assert not role.get("ManagedPolicyArns"), "policies of others say more than we use"
        for policy in role.get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]


def _rights(template: Template) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for statement in _statements(template):
        assert statement["Effect"] == "Allow"
        for action in _list(statement["Action"]):
            for resource in _list(statement["Resource"]):
                yield action, placeholders(resource), statement


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_right_has_a_wildcard_without_a_reason(reviewed: tuple[App, dict[str, Template]]) -> None:
    used = set()
    for name, template in reviewed[1].items():
        for action, resource, statement in _rights(template):
            assert "*" not in action, f"{name}: {action}"
            if "*" in resource:
                reasons = [key for key in WILDCARDS if key[0] == action and key[1] in resource]
                assert reasons, f"{name}: {action} on {resource}"
                used.update(reasons)
            if action == "ecs:TagResource":
                assert "ecs:CreateAction" in json.dumps(statement["Condition"]), f"{name}: {action}"
            elif action.startswith("ecs:") and action != "ecs:UpdateTaskProtection":
                assert "ecs:cluster" in json.dumps(statement["Condition"]), f"{name}: {action}"
            if action == "iam:PassRole":
                assert "iam:PassedToService" in json.dumps(statement["Condition"]), f"{name}: {action}"
    assert used == set(WILDCARDS), "reasons for what nobody asks for"


def test_every_role_is_assumed_by_the_service_that_needs_it(reviewed: tuple[App, dict[str, Template]]) -> None:
    for template in reviewed[1].values():
        for name, role in template.of_type("AWS::IAM::Role").items():
            (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
            others = {
                "FlowLog": "vpc-flow-logs",
                "WebhookRole": "apigateway",
                "ApiGatewayRole": "apigateway",
                "ScheduleRole": "scheduler",
            }
            service = next((others[part] for part in others if part in name), "ecs-tasks")
            assert statement["Principal"]["Service"] == f"{service}.amazonaws.com"


TASK = {
    "WorkerTaskTaskRole": {"sns:Publish": "svcTopic"},
    "WorkerTaskExecutionRole": {"logs:CreateLogStream": "svcLogGroup", "logs:PutLogEvents": "svcLogGroup"},
    "WatcherTaskTaskRole": {
        "sqs:ReceiveMessage": "svcQueue",
        "sqs:ChangeMessageVisibility": "svcQueue",
        "sqs:DeleteMessage": "svcQueue",
        "sqs:SendMessage": "svcDeadLetterQueue",
        "s3:PutObject": "svcPayloadBucket",
        "s3:GetObject": "svcPayloadBucket",
        "s3:DeleteObject": "svcPayloadBucket",
        "s3:ListBucket": "svcPayloadBucket",
        "ecs:RunTask": ":task-definition/tasksvcWorkerTask",
        "ecs:TagResource": ":task/",
        "ecs:DescribeTasks": ":task/",
        "ecs:StopTask": ":task/",
        "ecs:ListTasks": "*",
        "iam:PassRole": "svcWorkerTask",
    },
    "WatcherTaskExecutionRole": {
        "logs:CreateLogStream": "svcLogGroup",
        "logs:PutLogEvents": "svcLogGroup",
        "ecr:BatchCheckLayerAvailability": "container-assets",
        "ecr:GetDownloadUrlForLayer": "container-assets",
        "ecr:BatchGetImage": "container-assets",
        "ecr:GetAuthorizationToken": "*",
    },
}
PROCESS = {
    "TaskTaskRole": {
        "sqs:ReceiveMessage": "svcQueue",
        "sqs:ChangeMessageVisibility": "svcQueue",
        "sqs:DeleteMessage": "svcQueue",
        "sqs:SendMessage": "svcDeadLetterQueue",
        "ecs:UpdateTaskProtection": ":task/",
        "sns:Publish": "svcTopic",
    },
    "TaskExecutionRole": TASK["WatcherTaskExecutionRole"],
}


@pytest.mark.parametrize(("name", "expected"), [("task", TASK), ("process", PROCESS)])
def test_every_right_of_a_default_service_is_on_this_list(
    reviewed: tuple[App, dict[str, Template]], name: str, expected: dict[str, dict[str, str]]
) -> None:
    template = reviewed[1][name]
    assert {role[3:-8] for role in template.of_type("AWS::IAM::Role") if role.startswith("svc")} == set(expected)
    for role, rights in expected.items():
        found: dict[str, list[str]] = {}
        for statement in template.statements(f"svc{role}"):
            for action in _list(statement["Action"]):
                found.setdefault(action, []).extend(placeholders(one) for one in _list(statement["Resource"]))
        assert set(found) == set(rights), role
        for action, resources in found.items():
            assert all(rights[action] in resource for resource in resources), (role, action, resources)
