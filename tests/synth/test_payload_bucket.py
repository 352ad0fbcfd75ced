"""A bucket of payloads: the watcher is told its name, and may read and delete its objects and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from tests.synth.template import Template, image, synth
from watchbot_cdk import Isolation, Watchbot

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["work"]}


def _synth(arguments: dict[str, Any], **bucket: Any) -> Template:
    def build(stack: Stack) -> None:
        Watchbot(stack, "svc", image=image(), payload_bucket=s3.Bucket(stack, "Payloads", **bucket), **arguments)

    return synth(build)


def _allowed(template: Template, role: str) -> dict[str, Any]:
    """Give the resource of each action on S3 and KMS that a role has."""
    return {
        action: statement["Resource"]
        for statement in template.statements(role)
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if action.startswith(("s3:", "kms:"))
    }


@pytest.mark.parametrize(
    ("arguments", "container", "role"), [({}, "watcher", "WatcherTask"), (PROCESS, "worker", "svcTaskTaskRole")]
)
def test_the_watcher_may_read_and_delete_the_buckets_objects(
    arguments: dict[str, Any], container: str, role: str
) -> None:
    template = _synth(arguments)
    (bucket,) = template.of_type("AWS::S3::Bucket")
    arn = {"Fn::GetAtt": [bucket, "Arn"]}
    objects = {"Fn::Join": ["", [arn, "/*"]]}
    assert _allowed(template, role) == {"s3:GetObject": objects, "s3:DeleteObject": objects, "s3:ListBucket": arn}
    assert template.environment(container)["WATCHBOT_PAYLOAD_BUCKET"] == {"Ref": bucket}


def test_the_workers_own_task_gets_no_right_to_the_bucket() -> None:
    assert _allowed(_synth({}), "WorkerTask") == {}


def test_an_encrypted_bucket_can_be_decrypted() -> None:
    def build(stack: Stack) -> None:
        bucket = s3.Bucket(stack, "Payloads", encryption_key=kms.Key(stack, "Key"))
        Watchbot(stack, "svc", image=image(), payload_bucket=bucket)

    template = synth(build)
    (key,) = template.of_type("AWS::KMS::Key")
    assert _allowed(template, "WatcherTask")["kms:Decrypt"] == {"Fn::GetAtt": [key, "Arn"]}
