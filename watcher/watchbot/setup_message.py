"""Messages that AWS itself sends when somebody sets a source up, or to find out whether it may send: no job."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TEXTS = {
    "CloudTrail validation message.": "CloudTrail's test of the topic that a trail notifies",
    "Successfully validated SNS topic for Amazon SES event publishing.": "SES's test of a topic for its events",
}
"""Messages that are one sentence.

https://github.com/aws/aws-cloudtrail-processing-library/issues/9,
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

_LONGEST_TEXT = max(map(len, _TEXTS))
_LONGEST = 8192
"""Characters; a longer text is a job, and is not parsed to find that out."""

_MARKS = (
    '"s3:TestEvent"',
    '"autoscaling:TEST_NOTIFICATION"',
    '"AmazonSnsSubscriptionSucceeded"',
    '"SubscriptionConfirmation"',
    '"UnsubscribeConfirmation"',
)
"""Only a text with one of them is parsed: looking for them takes a microsecond."""

_S3 = {"Service", "Event", "Time", "Bucket", "RequestId", "HostId"}
_AUTO_SCALING = {
    "AccountId",
    "RequestId",
    "AutoScalingGroupARN",
    "AutoScalingGroupName",
    "Service",
    "Event",
    "Time",
}
_SES_IDENTITY = {"notificationType", "message"}
_CONFIRMATION = {
    "Type",
    "MessageId",
    "Token",
    "TopicArn",
    "Message",
    "SubscribeURL",
    "Timestamp",
    "SignatureVersion",
    "Signature",
    "SigningCertURL",
}
_TOPIC = re.compile(r"arn:[\w-]+:sns:([\w-]+):\d*:[\w-]{1,256}(?:\.fifo)?")
_TOKEN = re.compile(r"\w{1,1024}")


def setup_message(text: str, *, is_body: bool) -> str | None:
    """Recognise such a message by all of its keys or its whole text; return what it is, or None for a job.

    ``is_body`` says that the text is what SQS delivered, not what an SNS envelope held: SNS's own confirmations come
    without one.
    """
    if len(text) > _LONGEST:
        return None
    if len(text) <= _LONGEST_TEXT + 2 and (known := _TEXTS.get(text.strip())):
        return known
    if not text.lstrip().startswith("{") or not any(mark in text for mark in _MARKS):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        return None
    kind = next((kind for keys, kind in _KINDS if value.keys() == keys), None)
    if kind is None or (kind is _confirmation and not is_body):
        return None
    return kind(value)


def _s3_test(value: Mapping[str, Any]) -> str | None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-enable-disable-notification-intro.html."""
    return "a test event of S3" if value["Event"] == "s3:TestEvent" else None


def _auto_scaling_test(value: Mapping[str, Any]) -> str | None:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/prepare-for-lifecycle-notifications.html."""
    if value["Event"] != "autoscaling:TEST_NOTIFICATION":
        return None
    return "a test notification of Auto Scaling"


def _ses_identity_test(value: Mapping[str, Any]) -> str | None:
    """SES sends it when a topic is set for the bounces, complaints or deliveries of an identity.

    https://docs.aws.amazon.com/ses/latest/dg/configure-sns-notifications.html
    """
    is_it = value["notificationType"] == "AmazonSnsSubscriptionSucceeded"
    is_it = is_it and value["message"].startswith("You have successfully subscribed your Amazon SNS topic '")
    return "SES's test of a topic for an identity's notifications" if is_it else None


def _confirmation(value: Mapping[str, Any]) -> str | None:
    """Recognise what SNS sends when a subscription waits for its queue's owner, or was ended.

    The message is not fetched from, and its links are not shown: anyone who may send to the queue could have written
    them. The command says the same, and holds all that is needed.
    https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html
    """
    topic, token = _TOPIC.fullmatch(value["TopicArn"]), value["Token"]
    if topic is None or not _TOKEN.fullmatch(token) or not value["SubscribeURL"].startswith("https://"):
        return None
    command = f"aws sns confirm-subscription --region {topic[1]} --topic-arn {topic[0]} --token {token}"
    match value["Type"]:
        case "SubscriptionConfirmation":
            return (
                "SubscriptionConfirmation: SNS asks whether the queue may be subscribed to a topic, and sends nothing "
                f"more until you accept. If you trust it, run what its SubscribeURL does, within two days: {command}"
            )
        case "UnsubscribeConfirmation":
            return (
                "UnsubscribeConfirmation: SNS has ended the queue's subscription to a topic. To have it back, run what "
                f"its SubscribeURL does, within two days: {command}"
            )
    return None


_KINDS: tuple[tuple[set[str], Callable[[Mapping[str, Any]], str | None]], ...] = (
    (_S3, _s3_test),
    (_AUTO_SCALING, _auto_scaling_test),
    (_SES_IDENTITY, _ses_identity_test),
    (_CONFIRMATION, _confirmation),
)
