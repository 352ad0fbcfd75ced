"""Who may publish to a topic, and use its key for that alone."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from watchbot_cdk.encryption import USING, let_use


def let_publish(grantee: iam.IGrantable, topic: sns.ITopic, stack: Stack) -> iam.Grant:
    """Let someone publish to the topic; ``topic.grant_publish`` would give them its key for everything."""
    grant = iam.Grant.add_to_principal_or_resource(
        grantee=grantee, actions=["sns:Publish"], resource_arns=[topic.topic_arn], resource=topic
    )
    key = topic.master_key
    return grant if key is None else grant.combine(let_use(grantee, key, USING, ("sns",), stack))
