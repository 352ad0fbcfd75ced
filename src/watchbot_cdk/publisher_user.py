"""An IAM user for senders outside of AWS."""

from __future__ import annotations

from aws_cdk import SecretValue, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from watchbot_cdk.acknowledgements import acknowledge
from watchbot_cdk.publishing import let_publish


def add_publisher_user(scope: Construct, topic: sns.Topic, stack: Stack) -> secretsmanager.Secret:
    """Create a user who may publish to the topic and nothing else; gives the secret that holds its access key.

    CloudFormation hands the key over to Secrets Manager: neither the template nor an output holds it.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-accesskey.html
    """
    user = iam.User(scope, "PublisherUser")
    let_publish(user, topic, stack)
    key = iam.CfnAccessKey(scope, "PublisherAccessKey", user_name=user.user_name)
    secret = secretsmanager.Secret(
        scope,
        "PublisherSecret",
        secret_object_value={
            # The id is no secret.
            "AccessKeyId": SecretValue.unsafe_plain_text(key.ref),
            "SecretAccessKey": SecretValue.resource_attribute(key.attr_secret_access_key),
        },
    )
    acknowledge(
        secret, {"AwsSolutions-SMG4": "a sender outside of AWS has the key; whoever gives it to them changes it"}
    )
    return secret
