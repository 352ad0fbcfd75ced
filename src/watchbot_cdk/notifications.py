"""What people are told, and where: the topic of alarms and failed jobs."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from watchbot_cdk.encryption import allow_alarms
from watchbot_cdk.problems import is_list_of, kind_problems
from watchbot_cdk.remembered import remembered
from watchbot_cdk.stacks import account_of

_ATOM = r"[!#-'*+\--9=?A-Z^-~]+"
"""What an address has without quotes: https://www.rfc-editor.org/rfc/rfc5322#section-3.2.3."""

_ADDRESS = re.compile(rf"{_ATOM}@{_ATOM}\.{_ATOM}")
_LONGEST_ADDRESS = 254


@dataclasses.dataclass(frozen=True, kw_only=True)
class Notifications:
    """The arguments of a Watchbot that say who hears of what."""

    email: str | Sequence[str] | None
    topic: sns.ITopic | None
    on_each_failure: bool

    @property
    def failure_topic(self) -> sns.ITopic | None:
        """The topic that the watcher tells of each failed job; None unless that was asked for."""
        return self.topic if self.on_each_failure else None

    @property
    def addresses(self) -> Sequence[str]:
        """All addresses."""
        match self.email:
            case None:
                return ()
            case str():
                return (self.email,)
            case _:
                return tuple(self.email)

    def kinds(self) -> Iterable[str]:
        """Say which arguments are of another kind."""
        email = self.email
        if email is not None and not isinstance(email, str) and not is_list_of(str, email):
            yield f"notification_email must be an address, a list of addresses or None, got {email!r}"
        if self.topic is not None and not hasattr(self.topic, "topic_arn"):
            yield f"notification_topic must be a Topic or None, got {self.topic!r}"
        yield from kind_problems("notify_on_each_failure", self.on_each_failure, bool)

    def problems(self, scope: Construct, *, has_alarms: bool) -> Iterable[str]:
        """Say what cannot be, of arguments of the right kinds, for a service in this scope."""
        if self.email is not None and self.topic is not None:
            yield (
                "notification_email and notification_topic cannot both be given: subscribe the address to the topic, "
                "or leave one of them out"
            )
        if self.email is not None and not self.addresses:
            yield "notification_email must be at least one address, got none"
        for address in self.addresses:
            if not Token.is_unresolved(address) and not _is_address(address):
                yield f"notification_email must be an address such as ops@example.com, got {address!r}"
        for address, count in Counter(self.addresses).items():
            if count > 1:
                yield f"notification_email must name each address once, got {address!r} {count} times"
        if self.topic is not None and self.topic.fifo:
            yield "notification_topic must be a standard topic, got a FIFO topic, to which alarms and mail cannot go"
        if self.topic is not None and has_alarms:
            yield from _region_problems(self.topic, scope)


def _region_problems(topic: sns.ITopic, scope: Construct) -> Iterable[str]:
    """Say that alarms cannot tell this topic, which has to be in their own region, unless either is not known.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    """
    ours, theirs = Stack.of(scope).region, topic.env.region
    if ours != theirs and not Token.is_unresolved(ours) and not Token.is_unresolved(theirs):
        yield (
            f"notification_topic must be in region {ours}, got {topic.node.path} in {theirs}: alarms tell topics of "
            "their own region alone; give one there, or switch them off with alarms=Alarms.off()"
        )


def add_notification_topic(
    scope: Construct, notifications: Notifications, key: kms.IKey | None, stack: Stack, *, has_alarms: bool
) -> sns.ITopic:
    """Create the topic, with its subscribers and under the key, unless it was given.

    Only alarms of this account and who has a right by its own role may publish, over TLS; a topic has no other way to
    let CloudWatch publish once it has a policy at all. To a given topic that has none SNS's default applies, under
    which alarms may publish, too, and which a policy of ours would replace. Its key is another matter: CloudWatch has
    to be let use it, or no alarm arrives.
    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    given = notifications.topic
    if given is not None:
        if given.node.try_find_child("Policy") is not None:
            _let_alarms_publish(given, stack)
        its_key = given.master_key
        if has_alarms and its_key is not None and its_key is not key:
            allow_alarms(scope, its_key)
        return given
    topic = sns.Topic(scope, "NotificationTopic", enforce_ssl=True, master_key=key)
    _let_alarms_publish(topic, stack)
    for number, address in enumerate(notifications.addresses, 1):
        # By address, so that nobody has to confirm anew because another has gone.
        name = f"Address{number}" if Token.is_unresolved(address) else address
        sns.CfnSubscription(topic, name, topic_arn=topic.topic_arn, protocol="email", endpoint=address)
    return topic


@remembered
def arn_of(topic: sns.ITopic) -> str:
    """Give the topic's ARN."""
    return topic.topic_arn


def _let_alarms_publish(topic: sns.ITopic, stack: Stack) -> None:
    """Add to the policy of the topic; a grant is one call of the CDK's process, a statement to add would be four."""
    iam.Grant.add_to_principal_or_resource(
        grantee=_alarms_of(stack), actions=["sns:Publish"], resource_arns=[arn_of(topic)], resource=topic
    )


@remembered
def _alarms_of(stack: Stack) -> iam.IPrincipal:
    account = {"StringEquals": {"aws:SourceAccount": account_of(stack)}}
    return iam.ServicePrincipal("cloudwatch.amazonaws.com", conditions=account)


def _is_address(text: str) -> bool:
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None
