"""Asked of IAM's rules: every role does its own work, and nothing with what is somebody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_secretsmanager as secretsmanager

from tests.synth.deployed import ACCOUNT, REGION, Deployed, Statement, foreign
from tests.synth.reviewed import SERVICES
from tests.synth.template import Template, image
from watchbot.contract import FAMILY_TAG
from watchbot_cdk import Hmac, Watchbot, Webhook

TASKS = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task"
TAG = f"aws:ResourceTag/{FAMILY_TAG}"
WITHOUT_RESOURCE = {"ecs:ListTasks", "ecr:GetAuthorizationToken"}


@pytest.fixture(scope="module")
def everything(reviewed: tuple[App, dict[str, Template]]) -> Mapping[str, Deployed]:
    """Give the reviewed services as they would be deployed."""
    return {name: Deployed(template) for name, template in reviewed[1].items()}


@pytest.fixture(scope="module")
def under_keys() -> Deployed:
    """Give a service with everything that can be under a key, each part under a key of its own."""
    app = App()
    stack = Stack(app, "Keys", env=Environment(account=ACCOUNT, region=REGION))
    payloads = s3.Bucket(
        stack, "Payloads", encryption=s3.BucketEncryption.KMS, encryption_key=kms.Key(stack, "PayloadKey")
    )
    secret = secretsmanager.Secret(stack, "Secret", encryption_key=kms.Key(stack, "SecretKey"))
    svc = Watchbot(
        stack,
        "svc",
        image=image(),
        encryption_key=kms.Key(stack, "ServiceKey"),
        payload_bucket=payloads,
        webhook=Webhook(hmac=Hmac.github(secret)),
        publisher_user=True,
        notify_on_each_failure=True,
        reduce=True,
    )
    svc.on_schedule(scheduler.ScheduleExpression.rate(Duration.hours(1)))
    return Deployed(Template(app.synth().get_stack_by_name("Keys").template))


def _context(statement: Statement) -> dict[str, str]:
    """Give what a request says when the statement's conditions hold."""
    return {
        key: (wanted if isinstance(wanted, str) else wanted[0]).replace(".*", f".{REGION}.amazonaws.com")
        for condition in statement.conditions.values()
        for key, wanted in condition.items()
    }


def _own(statement: Statement) -> str:
    return statement.resource.replace("??????", "AbCdEf").replace("*", "0")


def _all(everything: Mapping[str, Deployed]) -> Iterator[tuple[str, Deployed, str, Statement]]:
    for stack, deployed in everything.items():
        for principal in deployed.principals:
            for statement in deployed.statements(principal):
                yield f"{stack} {principal} {statement.action}", deployed, principal, statement


def test_each_right_holds_for_what_it_names(everything: Mapping[str, Deployed]) -> None:
    asked = 0
    for what, deployed, principal, right in _all(everything):
        assert deployed.may(principal, right.action, _own(right), _context(right)), what
        asked += 1
    assert asked > 200


def test_no_right_holds_for_a_foreign_resource(everything: Mapping[str, Deployed]) -> None:
    for what, deployed, principal, right in _all(everything):
        if right.action in WITHOUT_RESOURCE:
            continue
        theirs = foreign(right.resource)
        assert theirs != _own(right)
        assert not deployed.may(principal, right.action, theirs, _context(right)), f"{what} {theirs}"


def test_no_conditioned_right_holds_without_its_condition(everything: Mapping[str, Deployed]) -> None:
    for what, deployed, principal, right in _all(everything):
        for key in _context(right):
            context = _context(right)
            del context[key]
            assert not deployed.may(principal, right.action, _own(right), context), f"{what} without {key}"
            context[key] = "somebody-elses"
            assert not deployed.may(principal, right.action, _own(right), context), f"{what} with another {key}"


def _watchers(everything: Mapping[str, Deployed]) -> Iterator[tuple[Deployed, str, str, str]]:
    """Give each watcher of Isolation.TASK with its service's logical ids, cluster, and the worker's family."""
    for deployed in everything.values():
        for role in deployed.principals:
            service, found, _ = role.partition("WatcherTaskTaskRole")
            if found and "Execution" not in role:
                (runs,) = (one for one in deployed.statements(role) if one.action == "ecs:RunTask")
                family = runs.resource.rpartition("/")[2].removesuffix(":*")
                yield deployed, role, service, family


def test_a_watcher_stops_its_own_tasks_alone(everything: Mapping[str, Deployed]) -> None:
    watchers = list(_watchers(everything))
    families = {family for _, _, _, family in watchers}
    assert len(watchers) == len(families) == 9
    for deployed, role, _, family in watchers:
        cluster = _cluster(deployed, role)
        task = f"{TASKS}/{cluster.rpartition('/')[2]}/0123"
        own = {"ecs:cluster": cluster, TAG: family}
        assert deployed.may(role, "ecs:StopTask", task, own)
        for other in (*(families - {family}), f"{family}-2", ""):
            assert not deployed.may(role, "ecs:StopTask", task, {**own, TAG: other})
        assert not deployed.may(role, "ecs:StopTask", task, {"ecs:cluster": cluster})
        assert not deployed.may(role, "ecs:StopTask", task, {**own, "ecs:cluster": f"{cluster}2"})
        assert not deployed.may(role, "ecs:StopTask", f"{TASKS}/another/0123", own)


def test_a_watcher_follows_tasks_without_a_tag(everything: Mapping[str, Deployed]) -> None:
    for deployed, role, _, _ in _watchers(everything):
        cluster = _cluster(deployed, role)
        task = f"{TASKS}/{cluster.rpartition('/')[2]}/0123"
        assert deployed.may(role, "ecs:DescribeTasks", task, {"ecs:cluster": cluster})
        assert deployed.may(role, "ecs:ListTasks", "*", {"ecs:cluster": cluster})
        assert not deployed.may(role, "ecs:ListTasks", "*", {"ecs:cluster": f"{cluster}2"})


def test_a_watcher_runs_and_tags_its_own_family_alone(everything: Mapping[str, Deployed]) -> None:
    for deployed, role, _, family in _watchers(everything):
        cluster = _cluster(deployed, role)
        revisions = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition"
        assert deployed.may(role, "ecs:RunTask", f"{revisions}/{family}:7", {"ecs:cluster": cluster})
        assert not deployed.may(role, "ecs:RunTask", f"{revisions}/{family}2:7", {"ecs:cluster": cluster})
        assert not deployed.may(role, "ecs:RunTask", f"{revisions}/{family}:7", {"ecs:cluster": f"{cluster}2"})
        task = f"{TASKS}/{cluster.rpartition('/')[2]}/0123"
        assert deployed.may(role, "ecs:TagResource", task, {"ecs:CreateAction": "RunTask"})
        for context in ({}, {"ecs:CreateAction": "CreateService"}):
            assert not deployed.may(role, "ecs:TagResource", task, context)


def test_a_watcher_passes_the_roles_of_its_worker_to_ecs_alone(everything: Mapping[str, Deployed]) -> None:
    to_ecs = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    for deployed, role, service, _ in _watchers(everything):
        for principal in deployed.principals:
            arn = f"arn:aws:iam::{ACCOUNT}:role/{principal}"
            expected = principal.startswith(f"{service}WorkerTask")
            assert deployed.may(role, "iam:PassRole", arn, to_ecs) is expected, principal
            assert not deployed.may(role, "iam:PassRole", arn, {"iam:PassedToService": "lambda.amazonaws.com"})
            assert not deployed.may(role, "iam:PassRole", arn, {})


def _cluster(deployed: Deployed, role: str) -> str:
    (runs,) = (one for one in deployed.statements(role) if one.action == "ecs:RunTask")
    return _context(runs)["ecs:cluster"]


OTHERS = [
    ("sqs:PurgeQueue", "AWS::SQS::Queue"),
    ("sqs:DeleteQueue", "AWS::SQS::Queue"),
    ("sqs:SetQueueAttributes", "AWS::SQS::Queue"),
    ("sns:Subscribe", "AWS::SNS::Topic"),
    ("sns:SetTopicAttributes", "AWS::SNS::Topic"),
    ("logs:DeleteLogGroup", "AWS::Logs::LogGroup"),
    ("iam:PutRolePolicy", "AWS::IAM::Role"),
    ("sts:AssumeRole", "AWS::IAM::Role"),
    ("ecs:ExecuteCommand", "AWS::ECS::Cluster"),
]


@pytest.mark.parametrize(("action", "kind"), OTHERS)
def test_nobody_rules_over_the_service(
    everything: Mapping[str, Deployed], reviewed: tuple[App, dict[str, Template]], action: str, kind: str
) -> None:
    for stack, deployed in everything.items():
        for name in reviewed[1][stack].of_type(kind):
            for principal in deployed.principals:
                assert not deployed.may(principal, action, deployed.arn(kind, name), {}), f"{principal} {name}"


def test_no_role_of_one_service_uses_the_messages_of_another(everything: Mapping[str, Deployed]) -> None:
    for stack in ("payloads", "encrypted", "notified", "instances"):
        deployed = everything[stack]
        for ours, theirs in (("task", "process"), ("process", "task")):
            messages = [
                right
                for principal in deployed.principals
                if principal.startswith(theirs)
                for right in deployed.statements(principal)
                if right.resource.startswith(("arn:aws:sqs", "arn:aws:sns", "arn:aws:dynamodb"))
            ]
            assert messages
            for principal in (one for one in deployed.principals if one.startswith(ours)):
                for right in messages:
                    assert not deployed.may(principal, right.action, right.resource, _context(right)), principal


THROUGH: Mapping[str, Mapping[str, set[str]]] = {
    "WatcherTaskTaskRole": {
        "ServiceKey": {"sqs", "s3", "sns"},
        "PayloadKey": {"s3"},
        "SecretKey": {"secretsmanager"},
    },
    "WorkerTaskTaskRole": {"ServiceKey": {"sns", "dynamodb"}},
    "WebhookRole": {"ServiceKey": {"sqs"}},
    "PublisherUser": {"ServiceKey": {"sns"}},
    "ScheduleRole": {"ServiceKey": {"sqs"}},
}
"""By role and key: the services through which one may use the other."""


def test_keys_are_used_through_the_service_whose_data_is_under_them(under_keys: Deployed) -> None:
    services = ("sqs", "sns", "s3", "dynamodb", "secretsmanager", "ec2", "lambda", "logs", "ecs")
    for principal in under_keys.principals:
        through = next((found for name, found in THROUGH.items() if principal[:-8].endswith(name)), {})
        for key in ("ServiceKey", "PayloadKey", "SecretKey"):
            arn = under_keys.arn("AWS::KMS::Key", key)
            allowed = {
                service
                for service in services
                if under_keys.may(
                    principal, "kms:Decrypt", arn, {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}
                )
            }
            assert allowed == through.get(key, set()), f"{principal} {key}"
            assert not under_keys.may(principal, "kms:Decrypt", arn, {}), f"{principal} {key} by itself"


@pytest.mark.parametrize("suffix", ["amazonaws.com", "amazonaws.com.cn", "c2s.ic.gov", "amazonaws.eu"])
def test_keys_are_used_in_every_partition(under_keys: Deployed, suffix: str) -> None:
    publisher, key = under_keys.named("PublisherUser"), under_keys.arn("AWS::KMS::Key", "ServiceKey")
    assert under_keys.may(publisher, "kms:GenerateDataKey", key, {"kms:ViaService": f"sns.x-y-1.{suffix}"})
    assert not under_keys.may(publisher, "kms:GenerateDataKey", key, {"kms:ViaService": f"snsx.x-y-1.{suffix}"})


def test_the_publisher_publishes_to_its_topic_and_nothing_else(under_keys: Deployed) -> None:
    rights = {(right.action, right.resource) for right in under_keys.statements(under_keys.named("PublisherUser"))}
    key = under_keys.arn("AWS::KMS::Key", "ServiceKey")
    assert rights == {
        ("sns:Publish", under_keys.arn("AWS::SNS::Topic", "svcTopic")),
        ("kms:Decrypt", key),
        ("kms:GenerateDataKey", key),
    }


SOURCES = {
    "TaskRole": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/c/0123",
    "FlowLogIAMRole": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/fl-0",
    "ScheduleRole": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default",
}
WITHOUT_SOURCE = ("WebhookRole", "ApiGatewayRole")
"""API Gateway names no source when it assumes a role."""


@pytest.mark.parametrize("stack", SERVICES)
def test_roles_are_assumed_for_resources_of_this_account_alone(everything: Mapping[str, Deployed], stack: str) -> None:
    deployed, other = everything[stack], "999999999999"
    for role in deployed.principals:
        if "User" in role:
            continue
        if any(name in role for name in WITHOUT_SOURCE):
            assert deployed.may_be_assumed(role, {})
            continue
        source = next(arn for name, arn in SOURCES.items() if name in role)
        own = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source}
        assert deployed.may_be_assumed(role, own), role
        for theirs in (
            {},
            {"aws:SourceArn": source},
            {"aws:SourceAccount": ACCOUNT},
            {**own, "aws:SourceAccount": other},
            {**own, "aws:SourceArn": source.replace(ACCOUNT, other)},
            {**own, "aws:SourceArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"},
        ):
            assert not deployed.may_be_assumed(role, theirs), f"{role} {theirs}"
