"""A service under a key of the user's own."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications

from tests.synth.template import Template, image, placeholders, synth, synth_watchbot
from watchbot.contract import Isolation
from watchbot_cdk import Watchbot, WatchbotArgumentError

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["true"]}
ARN = "arn:aws:kms:eu-west-1:123456789012:key/1"
NEEDED = {"kms:Decrypt", "kms:GenerateDataKey"}
SNS_DECRYPTION_FLAG = "@aws-cdk/aws-sns-subscriptions:restrictSqsDescryption"


def _synth(flags: dict[str, Any] | None = None) -> Template:
    """Synthesise one service of each isolation under one key, and somebody and a bucket who send to the first."""
    app = App(context=flags)
    stack = Stack(app, "Demo")
    key = kms.Key(stack, "Key")
    task = Watchbot(stack, "task", image=image(), encryption_key=key)
    Watchbot(stack, "process", image=image(), encryption_key=key, **PROCESS)
    publisher, sender = (
        iam.Role(stack, name, assumed_by=iam.AccountRootPrincipal()) for name in ("Publisher", "Sender")
    )
    task.grant_publish(publisher)
    task.grant_send(sender)
    bucket = s3.Bucket(stack, "Inbox", encryption=s3.BucketEncryption.KMS, encryption_key=key)
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.SnsDestination(task.topic))
    return Template(app.synth().get_stack_by_name("Demo").template)


@pytest.fixture(scope="module")
def encrypted() -> Template:
    return _synth()


def _key(template: Template) -> dict[str, Any]:
    ((name, _),) = template.of_type("AWS::KMS::Key").items()
    return {"Fn::GetAtt": [name, "Arn"]}


def _of_service(template: Template, service: str) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = template.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    return [one for one in statements if placeholders(one["Principal"].get("Service", "")).startswith(service)]


def test_topics_queues_log_and_payloads_are_under_the_key(encrypted: Template) -> None:
    key = _key(encrypted)
    assert [topic["KmsMasterKeyId"] for topic in encrypted.of_type("AWS::SNS::Topic").values()] == [key] * 4
    queues = encrypted.of_type("AWS::SQS::Queue").values()
    assert [queue["KmsMasterKeyId"] for queue in queues] == [key] * 4
    assert not any("SqsManagedSseEnabled" in queue for queue in queues)
    groups = [group for name, group in encrypted.of_type("AWS::Logs::LogGroup").items() if "LogGroup" in name]
    assert [group["KmsKeyId"] for group in groups] == [key] * 2
    (rule,) = encrypted.one("AWS::S3::Bucket", "PayloadBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"] == {"KMSMasterKeyID": key, "SSEAlgorithm": "aws:kms"}


def test_services_of_aws_may_use_the_key_for_this_account_alone(encrypted: Template) -> None:
    for service, sources in (("sns", ":*"), ("cloudwatch", ":alarm:*")):
        (statement,) = _of_service(encrypted, f"{service}.amazonaws.com")
        assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        pattern = placeholders(statement["Condition"]["ArnLike"]["aws:SourceArn"])
        assert pattern == f"arn:<{{'Ref': 'AWS::Partition'}}>:{service}:<{{'Ref': 'AWS::Region'}}>:" + (
            f"<{{'Ref': 'AWS::AccountId'}}>{sources}"
        )
    (notifying,) = _of_service(encrypted, "s3.amazonaws.com")
    assert notifying["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert notifying["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    (logging,) = _of_service(encrypted, "logs.")
    assert placeholders(logging["Principal"]["Service"]) == "logs.<{'Ref': 'AWS::Region'}>.<{'Ref': 'AWS::URLSuffix'}>"
    context = placeholders(logging["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
    assert context.endswith(":log-group:*")


def test_eventbridge_may_use_the_key_without_a_source_because_it_gives_kms_none(encrypted: Template) -> None:
    (statement,) = _of_service(encrypted, "events.amazonaws.com")
    assert "Condition" not in statement


@pytest.mark.parametrize("flags", [None, {SNS_DECRYPTION_FLAG: True}])
def test_the_policy_of_the_key_names_nothing_that_names_the_key(flags: dict[str, Any] | None) -> None:
    policy = str(_synth(flags).one("AWS::KMS::Key")["KeyPolicy"])
    assert not any(name in policy for name in ("Topic", "Queue", "LogGroup", "Bucket", "Role", "WorkerTask"))


@pytest.mark.parametrize(
    "role", ["WatcherTaskTaskRole", "WorkerTaskTaskRole", "processTaskTaskRole", "Publisher", "Sender"]
)
def test_whoever_sends_or_receives_may_use_the_key(encrypted: Template, role: str) -> None:
    actions: set[str] = set()
    for statement in encrypted.statements(role):
        if statement["Resource"] == _key(encrypted):
            actions |= set(statement["Action"])
    assert {action.rstrip("*") for action in actions} >= NEEDED
    if role == "WatcherTaskTaskRole":
        assert actions == NEEDED


def test_a_service_has_the_same_resources_under_a_key_and_without() -> None:
    def ids(template: Template) -> set[str]:
        return {name for name in template.resources if not name.startswith("Key")}

    def build(stack: Stack) -> None:
        Watchbot(stack, "svc", image=image(), encryption_key=kms.Key(stack, "Key"))

    more = ids(synth(build)) ^ ids(synth_watchbot())
    # The right to use the key, which a key of another account has to be told of, too.
    assert {name[:-8] for name in more} == {"svcWatcherTaskTaskRoleDefaultPolicy", "svcWorkerTaskTaskRoleDefaultPolicy"}


def test_a_key_whose_policy_cannot_be_changed_is_warned_of_with_what_it_needs() -> None:
    app = App()
    stack = Stack(app, "Demo", env=Environment(account="123456789012", region="eu-west-1"))
    Watchbot(stack, "svc", image=image(), encryption_key=kms.Key.from_key_arn(stack, "Key", ARN))
    artifact = app.synth().get_stack_by_name("Demo")
    (warning,) = [str(one.entry.data) for one in artifact.messages if "encryption_key" in str(one.entry.data)]
    assert "sns kms:Decrypt, kms:GenerateDataKey* (with aws:SourceAccount this account)" in warning
    assert all(service in warning for service in ("cloudwatch kms:", "events kms:", "s3 kms:", "logs kms:Encrypt"))
    template = Template(artifact.template)
    assert [topic["KmsMasterKeyId"] for topic in template.of_type("AWS::SNS::Topic").values()] == [ARN] * 2
    rights = [statement for statement in template.statements("WatcherTaskTaskRole") if statement["Resource"] == ARN]
    assert {action for statement in rights for action in statement["Action"]} == NEEDED


def test_refuses_what_is_no_key() -> None:
    with pytest.raises(WatchbotArgumentError, match="encryption_key must be a Key or None, got 'alias/mine'"):
        synth_watchbot(encryption_key="alias/mine")
