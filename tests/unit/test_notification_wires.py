"""SNS and CloudWatch Logs behind boto3: what is asked of them, and what their answers mean."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from watchbot.aws_session import AwsAccess
from watchbot.sns import BotoSns, Notification, PublishError
from watchbot.task_log import BotoStreams, LogReadError

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:failures"
ASKED = {"logGroupName": "group", "logStreamName": "watchbot/worker/1", "limit": 20, "startFromHead": False}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> AwsAccess:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    return AwsAccess({}, QUEUE)


def _client(wire: BotoSns | BotoStreams) -> Any:
    return wire._client


def _publish(sns: BotoSns) -> None:
    asyncio.run(sns.publish(Notification("subject", "text")))


def test_a_notification_goes_to_the_topic_in_its_own_region(aws: AwsAccess) -> None:
    sns = BotoSns(TOPIC, aws)
    assert _client(sns).meta.region_name == "eu-central-1"
    with Stubber(_client(sns)) as stub:
        stub.add_response("publish", {}, {"TopicArn": TOPIC, "Subject": "subject", "Message": "text"})
        _publish(sns)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("AuthorizationError", True),
        ("NotFound", True),
        ("KMSAccessDenied", True),
        ("Throttling", False),
        ("KMSThrottling", False),
        ("ExpiredToken", False),
        ("InternalError", False),
    ],
)
def test_a_refusal_is_told_from_what_another_try_may_mend(aws: AwsAccess, code: str, refused: bool) -> None:
    sns = BotoSns(TOPIC, aws)
    with Stubber(_client(sns)) as stub:
        stub.add_client_error("publish", code)
        with pytest.raises(PublishError, match=f"{TOPIC}: .*{code}") as caught:
            _publish(sns)
    assert caught.value.refused is refused


def test_a_topic_that_cannot_be_reached_is_tried_again(aws: AwsAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    sns = BotoSns(TOPIC, aws)

    def publish(**_: str) -> None:
        raise EndpointConnectionError(endpoint_url="https://sns")

    monkeypatch.setattr(_client(sns), "publish", publish)
    with pytest.raises(PublishError) as caught:
        _publish(sns)
    assert not caught.value.refused


def _last(streams: BotoStreams) -> list[str]:
    return asyncio.run(streams.last("watchbot/worker/1", 20))


def test_the_last_events_are_read_from_the_end_past_empty_pages(aws: AwsAccess) -> None:
    streams = BotoStreams("group", aws)
    with Stubber(_client(streams)) as stub:
        stub.add_response("get_log_events", {"events": [], "nextBackwardToken": "b/1"}, ASKED)
        events = [{"message": "one\n"}, {"message": "two"}]
        stub.add_response(
            "get_log_events", {"events": events, "nextBackwardToken": "b/2"}, {**ASKED, "nextToken": "b/1"}
        )
        assert _last(streams) == ["one", "two"]


def test_an_empty_stream_ends_where_its_token_stays(aws: AwsAccess) -> None:
    streams = BotoStreams("group", aws)
    with Stubber(_client(streams)) as stub:
        stub.add_response("get_log_events", {"events": [], "nextBackwardToken": "b/1"})
        stub.add_response("get_log_events", {"events": [], "nextBackwardToken": "b/1"})
        assert _last(streams) == []
        stub.assert_no_pending_responses()


def test_a_stream_that_is_not_there_yet_is_empty(aws: AwsAccess) -> None:
    streams = BotoStreams("group", aws)
    with Stubber(_client(streams)) as stub:
        stub.add_client_error("get_log_events", "ResourceNotFoundException")
        assert _last(streams) == []


@pytest.mark.parametrize(("code", "refused"), [("AccessDeniedException", True), ("ThrottlingException", False)])
def test_a_log_that_cannot_be_read_says_why(aws: AwsAccess, code: str, refused: bool) -> None:
    streams = BotoStreams("group", aws)
    with Stubber(_client(streams)) as stub:
        stub.add_client_error("get_log_events", code)
        with pytest.raises(LogReadError, match=code) as caught:
            _last(streams)
    assert caught.value.refused is refused
