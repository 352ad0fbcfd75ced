from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from watchbot.contract import WEBHOOK_TIME
from watchbot.job import Job, NoJob
from watchbot.message import Message
from watchbot.opener import EnvelopeOpener

S3 = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-01-01T00:00:00.000Z",
    "Bucket": "bucket",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
}
AUTO_SCALING = {
    "AccountId": "123456789012",
    "RequestId": "b36d6757-57c7-11e8-a9ca-b3409db76d91",
    "AutoScalingGroupARN": "arn:aws:autoscaling:us-west-2:123456789012:autoScalingGroup:d3ab:autoScalingGroupName/g",
    "AutoScalingGroupName": "g",
    "Service": "AWS Auto Scaling",
    "Event": "autoscaling:TEST_NOTIFICATION",
    "Time": "2026-05-14T22:39:45.555Z",
}
SES_IDENTITY = {
    "notificationType": "AmazonSnsSubscriptionSucceeded",
    "message": "You have successfully subscribed your Amazon SNS topic 'arn:aws:sns:us-east-1:1:bounces' to receive "
    "'Bounce' notifications from Amazon SES for identity 'info@example.com'.",
}
SES = "Successfully validated SNS topic for Amazon SES event publishing."
CLOUD_TRAIL = "CloudTrail validation message."
CONFIRMATION = {
    "Type": "SubscriptionConfirmation",
    "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
    "Token": "2336412f37",
    "TopicArn": "arn:aws-us-gov:sns:us-gov-west-1:123456789012:orders.fifo",
    "Message": "You have chosen to subscribe to the topic …\nTo confirm the subscription, visit the SubscribeURL.",
    "SubscribeURL": "https://elsewhere.example/?Action=ConfirmSubscription&Token=2336412f37",
    "Timestamp": "2026-04-26T20:45:04.751Z",
    "SignatureVersion": "1",
    "Signature": "EXAMPLEpH+",
    "SigningCertURL": "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-f3ecfb72.pem",
}
UNSUBSCRIBED = {**CONFIRMATION, "Type": "UnsubscribeConfirmation"}


def _open(text: str, *, webhook: bool = False) -> Job | NoJob:
    attributes = {WEBHOOK_TIME: {"DataType": "Number", "StringValue": "0"}} if webhook else {}
    return asyncio.run(EnvelopeOpener().open(Message("id", "handle", text, {}, attributes, 0)))


def _enveloped(text: str) -> str:
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": text})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (json.dumps(S3), "a test event of S3"),
        (json.dumps(AUTO_SCALING), "a test notification of Auto Scaling"),
        (json.dumps(SES_IDENTITY) + "\n", "SES's test of a topic for an identity's notifications"),
        (SES, "SES's test of a topic for its events"),
        (CLOUD_TRAIL, "CloudTrail's test of the topic that a trail notifies"),
    ],
)
def test_what_aws_sends_to_test_a_source_is_no_job(text: str, reason: str) -> None:
    """Direct, or with raw message delivery, and in an SNS envelope."""
    assert _open(text) == NoJob(reason)
    assert _open(_enveloped(text)) == NoJob(reason)


@pytest.mark.parametrize("body", [CONFIRMATION, UNSUBSCRIBED])
def test_a_confirmation_of_sns_is_explained_with_a_command(body: dict[str, Any]) -> None:
    opened = _open(json.dumps(body, indent=2))
    assert isinstance(opened, NoJob)
    assert body["Type"] in opened.reason
    assert "SubscribeURL" in opened.reason
    assert opened.reason.endswith(
        "aws sns confirm-subscription --region us-gov-west-1 "
        "--topic-arn arn:aws-us-gov:sns:us-gov-west-1:123456789012:orders.fifo --token 2336412f37"
    )
    # Whoever may send to the queue could have written the link.
    assert "elsewhere.example" not in opened.reason


@pytest.mark.parametrize(
    "text",
    [
        f"About: {CLOUD_TRAIL}",
        f"{CLOUD_TRAIL} {CLOUD_TRAIL}",
        CLOUD_TRAIL.rstrip("."),
        json.dumps(CLOUD_TRAIL),
        json.dumps({"text": SES}),
        f"{SES} x",
        json.dumps({**AUTO_SCALING, "Event": "autoscaling:EC2_INSTANCE_LAUNCH", "x": "autoscaling:TEST_NOTIFICATION"}),
        json.dumps({**AUTO_SCALING, "Event": "autoscaling:EC2_INSTANCE_LAUNCH"}),
        json.dumps({**AUTO_SCALING, "More": "of a sender's own"}),
        json.dumps({**AUTO_SCALING, "Time": 5}),
        json.dumps({**SES_IDENTITY, "message": "Hello"}),
        json.dumps({**SES_IDENTITY, "mail": "x"}),
        json.dumps({"Type": "SubscriptionConfirmation", "plan": "gold"}),
        json.dumps({"Type": "SubscriptionConfirmation", "TopicArn": CONFIRMATION["TopicArn"], "Token": "x"}),
        json.dumps({**CONFIRMATION, "TopicArn": "arn:aws:sns:x:1:t; rm -rf /"}),
        json.dumps({**CONFIRMATION, "Token": "$(reboot)"}),
        json.dumps({**CONFIRMATION, "Token": "\x1b[2J"}),
        json.dumps({**CONFIRMATION, "More": "x"}),
        json.dumps({**CONFIRMATION, "Type": "Confirmation"}),
        json.dumps({**CONFIRMATION, "Signature": ["x"]}),
        json.dumps([CONFIRMATION]),
        '{"SubscriptionConfirmation": ' * 200,
    ],
)
def test_what_only_resembles_them_is_a_job(text: str) -> None:
    for opened in (_open(text), _open(_enveloped(text))):
        assert isinstance(opened, Job)
        assert opened.text == text


def test_a_confirmation_that_somebody_publishes_is_a_job() -> None:
    text = json.dumps(CONFIRMATION)
    opened = _open(_enveloped(text))
    assert isinstance(opened, Job)
    assert opened.text == text


@pytest.mark.parametrize("text", [CLOUD_TRAIL, SES, json.dumps(S3), json.dumps(CONFIRMATION)])
def test_no_caller_of_the_webhook_can_have_its_message_ignored(text: str) -> None:
    opened = _open(text, webhook=True)
    assert isinstance(opened, Job)
    assert opened.text == text
