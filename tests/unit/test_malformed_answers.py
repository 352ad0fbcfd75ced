"""A malformed answer costs one message, task or call: every field of every answer that is read, wrong in every way."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import random
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.simulation.virtual_time import run_virtual
from tests.unit.mutations import Answers, mutations
from watchbot import protection, whereabouts
from watchbot.aws_session import AwsAccess
from watchbot.contract import Outcome
from watchbot.dead_letter import dead_letter_fields
from watchbot.ecs import BotoEcs, EcsError, TaskPage
from watchbot.job import Job
from watchbot.launcher import LaunchRefusedError, _launched
from watchbot.message import Message
from watchbot.opener import EnvelopeOpener
from watchbot.payload import Pointer
from watchbot.payload_store import BotoPayloads, PayloadError
from watchbot.protection import EcsAgent, ProtectionError
from watchbot.signing_secret import BotoSecrets, SecretError
from watchbot.sns import BotoSns, Notification, PublishError
from watchbot.sqs import BotoSqs, Entry, SqsError
from watchbot.stopped_task import is_stopped, result_of_task
from watchbot.task_answer import MALFORMED
from watchbot.task_log import BotoStreams, LogReadError
from watchbot.task_lookup import TaskLookup
from watchbot.task_poller import TaskPoller
from watchbot.whereabouts import Whereabouts
from watchbot.work_queue import WorkQueue

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"
AWS = AwsAccess({}, QUEUE)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def _message(body: str) -> dict[str, Any]:
    return {
        "MessageId": f"id-of-{body}",
        "ReceiptHandle": f"handle-of-{body}",
        "Body": body,
        "MD5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "Attributes": {
            "ApproximateReceiveCount": "2",
            "SentTimestamp": "1700000000000",
            "ApproximateFirstReceiveTimestamp": "1700000000001",
            "MessageGroupId": "group",
            "AWSTraceHeader": "Root=1",
        },
        "MessageAttributes": {
            "text": {"DataType": "String", "StringValue": "a"},
            "binary": {"DataType": "Binary", "BinaryValue": base64.b64encode(b"\0\1").decode()},
        },
    }


def _is_usable(message: Message) -> bool:
    """Do with a message what the watcher does with one; anything raised fails the test."""
    job = asyncio.run(EnvelopeOpener("payloads").open(message))
    assert isinstance(job, Job)
    fields = dead_letter_fields(message, "reason", fifo=True)
    return bool(job.variables() and fields and message.receive_count >= 1 and message.sent_at != 0)


@pytest.fixture
def sqs() -> Iterator[BotoSqs]:
    wire = BotoSqs(QUEUE, 180, 1, AWS)
    yield wire
    wire.close()


def _work_queue(sqs: BotoSqs, told: list[tuple[str, str | None]]) -> WorkQueue:
    return WorkQueue(
        sqs,
        fifo=False,
        dead_letter_queue_url=None,
        chance=random.Random(1),
        report=lambda *what: told.append(what),
    )


def test_a_malformed_message_costs_itself_and_is_told(sqs: BotoSqs) -> None:
    told: list[tuple[str, str | None]] = []
    queue, answers = _work_queue(sqs, told), Answers(sqs._poller)
    good = _message("good")
    for what, bad in mutations(_message("bad")):
        told.clear()
        answers.body = json.dumps({"Messages": [bad, good]}).encode()
        messages = asyncio.run(queue.receive(10))
        assert messages[-1].body == "good", what
        assert all(map(_is_usable, messages)), what
        assert len(messages) + len(told) == 2, what
    entries: tuple[Any, ...] = (None, 7, "x", [], {})
    for entry in entries:
        answers.body = json.dumps({"Messages": [entry, good]}).encode()
        assert [message.body for message in asyncio.run(queue.receive(10))] == ["good"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Attributes": {"ApproximateReceiveCount": "abc"}}, "ApproximateReceiveCount is 'abc'"),
        ({"Body": None}, "Body is missing"),
        ({"ReceiptHandle": None}, "ReceiptHandle is missing"),
        ({"MD5OfBody": "0" * 32}, "Body does not match MD5OfBody"),
        ({"MessageAttributes": {"x": {"DataType": "Binary", "BinaryValue": "%%"}}}, "'x' is not valid base64"),
    ],
)
def test_the_error_names_the_message_and_what_is_wrong(sqs: BotoSqs, change: dict[str, Any], says: str) -> None:
    told: list[tuple[str, str | None]] = []
    Answers(sqs._poller, json.dumps({"Messages": [{**_message("bad"), **change}]}).encode())
    assert asyncio.run(_work_queue(sqs, told).receive(10)) == []
    ((problem, message_id),) = told
    assert says in problem
    assert message_id == "id-of-bad"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[1]",
        b'{"Messages": "x"}',
        b'{"Messages": {"a": 1}}',
        b"{",
        b"<a/>",
        b"[" * 200_000,
        b'{"Messages": null}',
    ],
)
def test_an_answer_without_messages_is_empty_or_an_error(sqs: BotoSqs, body: bytes) -> None:
    Answers(sqs._poller, body)
    with contextlib.suppress(SqsError):
        assert asyncio.run(sqs.receive(10)) == []


def test_a_malformed_answer_to_a_batch_is_an_error_of_its_lines(sqs: BotoSqs) -> None:
    answers = Answers(sqs._caller)
    failed = {"Id": "1", "Code": "Why", "SenderFault": True, "Message": "no"}
    for what, answer in mutations({"Successful": [{"Id": "0"}], "Failed": [failed]}):
        answers.body = json.dumps(answer).encode()
        try:
            errors = asyncio.run(sqs.delete([Entry("a"), Entry("b")]))
        except SqsError:
            continue
        assert len(errors) == 2, what
        assert all(error is None or isinstance(error, SqsError) for error in errors), what


def test_an_error_of_another_form_is_an_error_all_the_same(sqs: BotoSqs) -> None:
    answers = Answers(sqs._caller, status=400)
    for _, answer in mutations({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}):
        answers.body = json.dumps(answer).encode()
        with pytest.raises(SqsError):
            asyncio.run(sqs.send(QUEUE, {"MessageBody": "x"}))


TASK: dict[str, Any] = {
    "taskArn": "arn:of:bad",
    "startedBy": "wb-m",
    "lastStatus": "STOPPED",
    "desiredStatus": "STOPPED",
    "createdAt": 1700000000.5,
    "startedAt": 1700000001.5,
    "stoppingAt": 1700000002.5,
    "stoppedAt": 1700000003.5,
    "stopCode": "EssentialContainerExited",
    "stoppedReason": "Essential container in task exited",
    "containers": [{"name": "worker", "exitCode": 0, "reason": "none"}],
}


def test_a_malformed_task_costs_itself() -> None:
    ecs = BotoEcs("c", AWS)
    answers = Answers(ecs._client)
    good = {**TASK, "taskArn": "arn:of:good"}
    for what, bad in mutations(TASK):
        answers.body = json.dumps({"tasks": [bad, good], "failures": []}).encode()
        answer = asyncio.run(ecs.describe_tasks(["arn:of:bad", "arn:of:good"]))
        assert answer["tasks"][-1]["taskArn"] == "arn:of:good", what
        results = [result_of_task(task, can_dead_letter=True) for task in answer["tasks"] if is_stopped(task)]
        ended = (results[-1].outcome, results[-1].exit_code, results[-1].duration_seconds)
        assert ended == (Outcome.SUCCEEDED, 0, 2.0), what
        assert len(answer["tasks"]) + len(answer["failures"]) == 2, what


class _Reads:
    """Answers of DescribeTasks, one after the other."""

    def __init__(self, *answers: Any) -> None:
        self._answers = iter(answers)

    async def describe_tasks(self, arns: Sequence[str]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = next(self._answers)
        return answer

    async def list_tasks(self, **_: Any) -> TaskPage:
        return TaskPage([TASK["taskArn"]])


def test_the_poller_follows_the_other_tasks_whatever_the_answer() -> None:
    good = {"tasks": [{"taskArn": "arn:of:good", "lastStatus": "STOPPED"}]}
    for what, answer in mutations({"tasks": [TASK], "failures": [{"arn": "arn:of:gone", "reason": "MISSING"}]}):
        reads: Any = _Reads(answer, good)
        followed = run_virtual(TaskPoller(reads).stopped("arn:of:good", lambda task: None))
        assert isinstance(followed, Mapping), what
        assert followed["taskArn"] == "arn:of:good", what


def test_a_message_whose_task_ecs_does_not_describe_is_not_started_again() -> None:
    for answer in ({"tasks": None}, {"tasks": [], "failures": [{"arn": TASK["taskArn"], "reason": MALFORMED}]}, {}):
        reads: Any = _Reads(answer)
        with pytest.raises(EcsError, match="did not say how a task"):
            run_virtual(TaskLookup(reads, "family:1").tasks_of("m"))


def test_a_malformed_list_of_tasks_or_launch_is_an_error_of_the_call() -> None:
    ecs = BotoEcs("c", AWS)
    answers = Answers(ecs._client)
    for what, answer in mutations({"taskArns": ["arn:of:task"], "nextToken": "more"}):
        answers.body = json.dumps(answer).encode()
        try:
            page = asyncio.run(ecs.list_tasks(family="f"))
        except EcsError:
            continue
        assert all(isinstance(arn, str) for arn in page.arns), what
    for what, answer in mutations({"tasks": [TASK], "failures": [{"arn": "a", "reason": "RESOURCE"}]}):
        answers.body = json.dumps(answer).encode()
        try:
            assert _launched(asyncio.run(ecs.run_task({"taskDefinition": "f"}))).arn, what
        except (EcsError, LaunchRefusedError):
            continue
    answers.status = 400
    for _, answer in mutations({"__type": "ConflictException", "message": "no", "resourceIds": ["arn:of:task"]}):
        answers.body = json.dumps(answer).encode()
        with pytest.raises(EcsError) as refused:
            asyncio.run(ecs.run_task({"taskDefinition": "f"}))
        assert all(isinstance(arn, str) for arn in refused.value.tasks)


def test_a_malformed_answer_of_s3_is_an_error_of_the_payload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time", types.SimpleNamespace(sleep=lambda seconds: None))
    payloads = BotoPayloads(AWS, 60)
    pointer = Pointer("bucket", "key")
    for status in (200, 302, 403, 404, 500):
        for body in (
            b"",
            b"<",
            b"<Error/>",
            b"<Error><Code></Code></Error>",
            b"{}",
            b"\xff" * 100,
            b"<Error><Code>" * 1_000,
        ):
            answers = Answers(payloads._client, body, status)
            with contextlib.suppress(PayloadError):
                assert isinstance(asyncio.run(payloads.text(pointer, 1_000)), str | None)
            for call in (payloads.delete, payloads.renew):
                with contextlib.suppress(PayloadError):
                    asyncio.run(call(pointer))
            payloads._client.meta.events.unregister("before-send", answers._answer)


def test_a_malformed_secret_is_an_error_of_the_secret() -> None:
    for field in (None, "key"):
        secrets = BotoSecrets(AWS, "secret", field)
        answers = Answers(secrets._client)
        for answer in ({"SecretString": '{"key": "value"}'}, {"SecretBinary": base64.b64encode(b"value").decode()}):
            for what, mutated in mutations({"ARN": "arn", "Name": "secret", "CreatedDate": 1.5, **answer}):
                answers.body = json.dumps(mutated).encode()
                try:
                    values = asyncio.run(secrets.fetch())
                except SecretError:
                    continue
                assert all(isinstance(value, bytes) and value for value in values), what


def test_a_malformed_log_is_lines_of_text_or_an_error() -> None:
    streams = BotoStreams("group", AWS)
    answers = Answers(streams._client)
    event = {"timestamp": 1, "message": "line\n", "ingestionTime": 2}
    for what, answer in mutations({"events": [event, event], "nextBackwardToken": "b", "nextForwardToken": "f"}):
        answers.body = json.dumps(answer).encode()
        try:
            lines = asyncio.run(streams.last("stream", 10))
        except LogReadError:
            continue
        assert all(isinstance(line, str) for line in lines), what


def test_a_malformed_answer_of_sns_is_an_error_of_the_notification() -> None:
    topic = BotoSns("arn:aws:sns:eu-west-1:123456789012:topic", AWS)
    for status in (200, 400, 500):
        for body in (b"", b"<", b"<PublishResponse/>", b"{}", b"<ErrorResponse><Error/></ErrorResponse>", b"\xff"):
            answers = Answers(topic._client, body, status)
            with contextlib.suppress(PublishError):
                asyncio.run(topic.publish(Notification("subject", "text")))
            topic._client.meta.events.unregister("before-send", answers._answer)


def test_a_malformed_answer_of_the_agent_or_the_metadata_ends_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    said = b""

    def ask(*_: object, **__: object) -> bytes:
        return said

    monkeypatch.setattr(protection, "ask", ask)
    monkeypatch.setattr(whereabouts, "ask", ask)
    answer = {
        "failure": {"Arn": "a", "Reason": "DEPLOYMENT_BLOCKED", "Detail": "d"},
        "error": {"Code": "c", "Message": "m"},
        "protection": {"ProtectionEnabled": True},
        "TaskARN": "arn",
    }
    told = [mutated for _, mutated in mutations(answer)]
    for body in [json.dumps(answer).encode() for answer in told] + [b"", b"[", b"[" * 200_000, b"null", b"\xff"]:
        said = body
        with contextlib.suppress(ProtectionError):
            asyncio.run(EcsAgent("http://agent").protect(5))
        arn = asyncio.run(Whereabouts({"ECS_CONTAINER_METADATA_URI_V4": "http://metadata"}).task())
        assert isinstance(arn, str | None)
