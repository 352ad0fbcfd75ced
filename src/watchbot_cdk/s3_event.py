"""Events of a bucket as a source of jobs, through EventBridge."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from typing import Any

import jsii
from aws_cdk import Annotations, Aspects, IAspect, Stack, Token
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from watchbot_cdk.problems import is_list_of

_PROPERTY = "NotificationConfiguration.EventBridgeConfiguration"


class S3Event(enum.StrEnum):
    """What S3 tells EventBridge of, by EventBridge's names.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
    """

    OBJECT_CREATED = "Object Created"
    OBJECT_DELETED = "Object Deleted"
    OBJECT_RESTORE_INITIATED = "Object Restore Initiated"
    OBJECT_RESTORE_COMPLETED = "Object Restore Completed"
    OBJECT_RESTORE_EXPIRED = "Object Restore Expired"
    OBJECT_STORAGE_CLASS_CHANGED = "Object Storage Class Changed"
    OBJECT_ACCESS_TIER_CHANGED = "Object Access Tier Changed"
    OBJECT_ACL_UPDATED = "Object ACL Updated"
    OBJECT_TAGS_ADDED = "Object Tags Added"
    OBJECT_TAGS_DELETED = "Object Tags Deleted"


def s3_pattern(
    bucket: s3.IBucket, kinds: Sequence[S3Event], prefix: str | None, suffix: str | None
) -> events.EventPattern:
    """Match these events of a bucket, of the objects whose key begins and ends so."""
    detail: dict[str, Any] = {"bucket": {"name": [bucket.bucket_name]}}
    if prefix is not None and suffix is not None:
        # A list of both would match either.
        detail["object"] = {"key": [{"wildcard": f"{_literal(prefix)}*{_literal(suffix)}"}]}
    elif prefix is not None:
        detail["object"] = {"key": [{"prefix": prefix}]}
    elif suffix is not None:
        detail["object"] = {"key": [{"suffix": suffix}]}
    return events.EventPattern(source=["aws.s3"], detail_type=[kind.value for kind in kinds], detail=detail)


def enable_events(scope: Construct, bucket: s3.IBucket) -> None:
    """Have the bucket tell EventBridge of everything that happens in it.

    The CDK's own switch brings a Lambda function: a property of the bucket does without, unless something else brings
    that function, which is known at synthesis. A bucket of somebody else's can only be switched on by them.
    """
    resource = bucket.node.default_child
    if isinstance(resource, s3.CfnBucket):
        resource.add_property_override(f"{_PROPERTY}.EventBridgeEnabled", True)
        Aspects.of(resource).add(_OneSwitch(bucket, resource))
    elif _has_function(bucket):
        bucket.enable_event_bridge_notification()
    else:
        Annotations.of(scope).add_warning_v2(
            "watchbot-cdk:eventBridgeOfBucket",
            f"{bucket.node.path} is not of this app: no event arrives unless its owner has turned on "
            "Amazon EventBridge in the bucket's properties (an EventBridgeConfiguration in CloudFormation)",
        )


@jsii.implements(IAspect)
class _OneSwitch:
    """Moves the switch to the function of ``add_event_notification``, called before or after: it overwrites ours."""

    def __init__(self, bucket: s3.IBucket, resource: s3.CfnBucket) -> None:
        self._bucket = bucket
        self._resource = resource

    def visit(self, node: IConstruct) -> None:
        """Look at the bucket, as the CDK asks for it before it writes templates."""
        if _has_function(self._bucket):
            self._resource.add_property_deletion_override(_PROPERTY)
            self._bucket.enable_event_bridge_notification()


def _has_function(bucket: s3.IBucket) -> bool:
    return bucket.node.try_find_child("Notifications") is not None


def s3_event_problems(
    scope: Construct, bucket: s3.IBucket, kinds: object, prefix: object, suffix: object
) -> Iterable[str]:
    """Say what cannot be."""
    if not isinstance(kinds, Sequence) or not kinds or not is_list_of(S3Event, kinds):
        yield f"events must be a list of S3Event, got {kinds!r}"
    for name, part in (("prefix", prefix), ("suffix", suffix)):
        if part is not None and not (isinstance(part, str) and part):
            yield f"{name} must be a text or None, got {part!r}"
    if not hasattr(bucket, "bucket_arn"):
        yield f"bucket must be a Bucket, got {bucket!r}"
        return
    here, there = Stack.of(scope), bucket.env
    for name, ours, theirs in (("account", here.account, there.account), ("region", here.region, there.region)):
        if ours != theirs and not Token.is_unresolved(ours) and not Token.is_unresolved(theirs):
            yield (
                f"bucket must be in {name} {ours}, got {bucket.node.path} in {theirs}: S3 tells EventBridge in the "
                "bucket's own account and region; forward its events to a bus here, and use on_event"
            )


def _literal(part: str) -> str:
    """Escape what a wildcard pattern would read otherwise.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    return re.sub(r"([\\*])", r"\\\1", part)
