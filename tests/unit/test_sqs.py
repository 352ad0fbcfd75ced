"""The wire to SQS, against botocore's own stub of the service."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, CredentialRetrievalError, EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from watchbot.aws_session import AwsAccess, leave_to_worker
from watchbot.sqs import BotoSqs, Entry, SqsError, sqs_error

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"


@pytest.fixture
def sqs() -> Iterator[BotoSqs]:
    wire = BotoSqs(QUEUE, 180, 1, AwsAccess({}, QUEUE))
    yield wire
    wire.close()


def _client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "why"}}, "ReceiveMessage")


def test_in_ecs_only_the_role_of_the_task_is_left_to_the_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/role",
        "PATH": "/bin",
        "AWS_ACCESS_KEY_ID": "theirs",
        "AWS_PROFILE": "theirs",
        "AWS_ENDPOINT_URL_SQS": "http://theirs",
        "AWS_CA_BUNDLE": "/theirs",
        "HTTPS_PROXY": "http://theirs",
        "no_proxy": "theirs",
        "SSL_CERT_FILE": "/theirs",
    }
    leave_to_worker(environment)
    assert not [name for name, value in environment.items() if "theirs" in value]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    session = AwsAccess(environment, QUEUE)._session
    credentials = session.get_credentials()
    provider = next(one for one in credentials._provider.providers if one.METHOD == "container-role")
    monkeypatch.setattr(
        provider._fetcher,
        "retrieve_full_uri",
        lambda uri, headers=None: {
            "AccessKeyId": f"from {uri}",
            "SecretAccessKey": "x",
            "Token": "x",
            "Expiration": "2100-01-01T00:00:00Z",
        },
    )
    assert credentials.get_frozen_credentials().access_key == "from http://169.254.170.2/v2/role"


def test_an_endpoint_of_ones_own_is_honoured_outside_ecs_only() -> None:
    environment = {"AWS_ENDPOINT_URL": "http://localhost:1"}
    assert AwsAccess(environment, QUEUE).client("sqs", Config()).meta.endpoint_url == "http://localhost:1"
    inside = {**environment, "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4"}
    assert AwsAccess(inside, QUEUE).client("sqs", Config()).meta.endpoint_url == "https://sqs.eu-west-1.amazonaws.com"
    own = AwsAccess(inside, QUEUE, "http://localhost:2").client("sqs", Config())
    assert own.meta.endpoint_url == "http://localhost:2"


def test_the_failed_lines_of_a_batch_are_told_one_by_one(sqs: BotoSqs) -> None:
    answer: dict[str, Any] = {
        "Successful": [{"Id": "0"}],
        "Failed": [{"Id": "1", "Code": "ReceiptHandleIsInvalid", "SenderFault": True, "Message": "no"}],
    }
    with Stubber(sqs._caller) as stubbed:
        stubbed.add_response("change_message_visibility_batch", answer)
        errors = asyncio.run(sqs.change_visibility([Entry("a", 5), Entry("b", 5)], heartbeat=True))
    assert errors[0] is None
    assert errors[1] is not None
    assert (errors[1].code, errors[1].refused) == ("ReceiptHandleIsInvalid", True)


def test_a_line_of_a_batch_that_the_answer_does_not_name_has_not_been_done(sqs: BotoSqs) -> None:
    with Stubber(sqs._caller) as stubbed:
        stubbed.add_response("delete_message_batch", {"Successful": [{"Id": "1"}], "Failed": []})
        errors = asyncio.run(sqs.delete([Entry("a"), Entry("b")]))
    assert errors[0] is not None
    assert (errors[0].refused, errors[1]) == (False, None)


def test_a_call_that_no_thread_could_be_started_for_failed_and_is_not_made_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def scenario() -> int:
        with monkeypatch.context() as limited:
            limited.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(SqsError, match="can't start new thread"):
                await wire.receive(10)
        return len(await wire.receive(10))

    with monkeypatch.context() as limited:
        # Those of a pool are there from the start, where any can be.
        limited.setattr(threading.Thread, "start", no_thread)
        wire = BotoSqs(QUEUE, 180, 1, AwsAccess({}, QUEUE))
    message = {"MessageId": "id", "ReceiptHandle": "handle", "Body": "x"}
    with Stubber(wire._poller) as stubbed:
        # The only answer: a call made for nobody would have taken it.
        stubbed.add_response("receive_message", {"Messages": [message]})
        assert asyncio.run(scenario()) == 1
    wire.close()


def test_every_thread_is_there_before_a_job_can_take_the_last_process(sqs: BotoSqs) -> None:
    pools: list[Any] = [threads._threads for threads in (sqs._polls, sqs._calls, sqs._heartbeats)]
    assert {pool._max_workers - len(pool._threads) for pool in pools} == {0}


def test_a_short_lease_has_time_for_more_than_one_call_that_hangs() -> None:
    def timeout(visibility_seconds: int) -> float:
        aws = AwsAccess({"AWS_ENDPOINT_URL": "http://localhost:1"}, QUEUE)
        found: float = BotoSqs(QUEUE, visibility_seconds, 1, aws)._caller.meta.config.read_timeout
        return found

    assert [timeout(seconds) for seconds in (3, 12, 30, 60, 180)] == [1, 2, 5, 10, 10]


def test_an_error_of_the_service_is_ours_when_it_arrives(sqs: BotoSqs) -> None:
    with Stubber(sqs._poller) as stubbed:
        stubbed.add_client_error("receive_message", "AWS.SimpleQueueService.NonExistentQueue")
        with pytest.raises(SqsError, match=f"there is no queue {QUEUE}"):
            asyncio.run(sqs.receive(10))


@pytest.mark.parametrize(
    ("error", "says", "refused"),
    [
        (NoCredentialsError(), "no AWS credentials", False),
        (_client_error("ExpiredToken"), "credentials are no longer valid", False),
        (_client_error("QueueDoesNotExist"), "there is no queue", True),
        (_client_error("AccessDenied"), "why", True),
        (_client_error("ThrottlingException"), "why", False),
        (EndpointConnectionError(endpoint_url="http://x"), "cannot be reached", False),
        (CredentialRetrievalError(provider="container-role", error_msg="no"), "credentials to work on", False),
        (ValueError("what is this"), "cannot be called: ValueError", False),
    ],
)
def test_credentials_a_missing_queue_and_the_network_are_told_apart(error: Exception, says: str, refused: bool) -> None:
    problem = sqs_error(error, QUEUE)
    assert says in str(problem)
    assert problem.refused is refused
