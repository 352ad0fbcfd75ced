"""What reviewers of security say of what we create, and every right of every role."""

from __future__ import annotations

import copy
import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from cdk_nag import AwsSolutionsChecks

from tests.synth.reviewed import SERVICES
from tests.synth.rights import RIGHTS, as_list, rights_in
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
        for action in as_list(statement["Action"]):
            for resource in as_list(statement["Resource"]):
                yield action, placeholders(resource), statement


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


@pytest.mark.parametrize("stack", SERVICES)
def test_every_right_of_every_role_is_on_theas_list(reviewed: tuple[App, dict[str, Template]], stack: str) -> None:
    expected = RIGHTS[stack]
    assert rights_in(reviewed[1][stack], stack, expected) == expected


def test_a_right_that_is_not_on_the_list_is_found(reviewed: tuple[App, dict[str, Template]]) -> None:
    whole = copy.deepcopy(dict(reviewed[1]["notified"].whole))
    (role,) = [
        one["Properties"]
        for name, one in whole["Resources"].items()
        if one["Type"] == "AWS::IAM::Role" and name[:-8] == "taskWatcherTaskTaskRole"
    ]
    role["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"].append("sqs:PurgeQueue")
    found = rights_in(Template(whole), "notified", RIGHTS["notified"])
    more = found["task"]["WatcherTaskTaskRole"] - RIGHTS["notified"]["task"]["WatcherTaskTaskRole"]
    assert more == {("sqs:PurgeQueue", "Queue", "")}
