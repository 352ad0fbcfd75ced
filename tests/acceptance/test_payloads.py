"""Messages that point into the payload bucket: the worker gets the object, which goes only if told, after success."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues

MODERN = "software.amazon.payloadoffloading.PayloadS3Pointer"
LEGACY = "com.amazon.sqs.javamessaging.MessageS3Pointer"

REPORT = 'cp "$MessageFile" "$OUT/$MessageId"; printf %s "${Message-unset}" > "$OUT/$MessageId.variable"'


class Bucket:
    def __init__(self, queues: Queues, name: str) -> None:
        self.s3: Any = queues.emulator.client("s3")
        self.name = name
        self.s3.create_bucket(Bucket=name)

    def put(self, key: str, payload: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=payload)

    def pointer(self, key: str, kind: str = MODERN) -> str:
        return json.dumps([kind, {"s3BucketName": self.name, "s3Key": key}])

    def keys(self) -> list[str]:
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])]


@pytest.fixture
def bucket(queues: Queues, request: pytest.FixtureRequest) -> Bucket:
    return Bucket(queues, f"payloads-{os.getpid()}-{abs(hash(request.node.name)) % 10**8}")


def _program(
    queues: Queues, bucket: Bucket, out: Path, script: str = "true", *, delete_payloads: str = "true"
) -> Program:
    program = Program(queues, f"{REPORT}; {script}", payload_bucket=bucket.name, delete_payloads=delete_payloads)
    program.environment["OUT"] = str(out)
    return program


def _end(program: Program) -> None:
    """Stop it without waiting for the poll that is open."""
    program.signal(signal.SIGTERM)
    program.hears("watcher.draining")
    program.signal(signal.SIGTERM)
    assert program.exit_code() == 0


@pytest.mark.parametrize("kind", [MODERN, LEGACY])
@pytest.mark.parametrize("payload", [b"short \xc3\xbcber", b"x" * 3_000_000, b"\x00\xff binary", b""])
def test_the_worker_gets_the_object_which_is_deleted_after_success_if_told_to(
    queues: Queues, bucket: Bucket, tmp_path: Path, payload: bytes, kind: str
) -> None:
    bucket.put("a/b", payload)
    bucket.put("other", b"stays")
    (message,) = queues.send(bucket.pointer("a/b", kind))
    with _program(queues, bucket, tmp_path) as program:
        assert program.hears("job.finished").fields["outcome"] == "succeeded"
        _end(program)
    assert (tmp_path / message).read_bytes() == payload
    is_variable = len(payload) < 100 and b"\x00" not in payload
    assert (tmp_path / f"{message}.variable").read_bytes() == (payload if is_variable else b"unset")
    assert bucket.keys() == ["other"]


def test_two_services_work_on_the_payload_of_one_message(queues: Queues, bucket: Bucket, tmp_path: Path) -> None:
    """A topic delivers one message to each of them: here in an envelope and raw."""
    bucket.put("key", b"payload")
    pointer = bucket.pointer("key")
    envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:000000000000:topic", "Message": pointer}
    messages = queues.send(json.dumps(envelope), pointer)
    with _program(queues, bucket, tmp_path, delete_payloads="false") as program:
        program.hears("job.finished", 2)
        _end(program)
    assert [(tmp_path / message).read_bytes() for message in messages] == [b"payload", b"payload"]
    assert bucket.keys() == ["key"]
    assert queues.dead_letters() == []


@pytest.mark.parametrize(
    ("script", "outcome"), [("exit 1", "failed"), ("exit 3", "rejected"), ("exit 5", "dead_lettered")]
)
def test_without_success_the_object_stays(
    queues: Queues, bucket: Bucket, tmp_path: Path, script: str, outcome: str
) -> None:
    bucket.put("key", b"payload")
    queues.send(bucket.pointer("key"))
    with _program(queues, bucket, tmp_path, script) as program:
        assert program.hears("job.finished").fields["outcome"] == outcome
        _end(program)
    assert bucket.keys() == ["key"]


def test_a_pointer_to_any_other_bucket_is_an_ordinary_text(queues: Queues, bucket: Bucket, tmp_path: Path) -> None:
    other = Bucket(queues, f"{bucket.name}-other")
    other.put("key", b"secret")
    (message,) = queues.send(other.pointer("key"))
    with _program(queues, bucket, tmp_path) as program:
        program.hears("job.finished")
    assert (tmp_path / message).read_text() == other.pointer("key")
    assert other.keys() == ["key"]


def test_a_pointer_through_the_topic_is_followed_and_loses_the_librarys_attribute(
    queues: Queues, bucket: Bucket, tmp_path: Path
) -> None:
    bucket.put("key", b"payload")
    envelope = {
        "Type": "Notification",
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:topic",
        "Message": bucket.pointer("key"),
        "MessageAttributes": {
            "ExtendedPayloadSize": {"Type": "Number", "Value": "7"},
            "kept": {"Type": "String", "Value": "v"},
        },
    }
    (message,) = queues.send(json.dumps(envelope))
    script = 'printf %s "$MessageAttributes" > "$OUT/attributes"'
    with _program(queues, bucket, tmp_path, script) as program:
        program.hears("job.finished")
    assert (tmp_path / message).read_bytes() == b"payload"
    assert json.loads((tmp_path / "attributes").read_text()) == {"kept": {"Type": "String", "Value": "v"}}


def test_a_payload_that_does_not_exist_is_dead_lettered_with_its_reason(
    queues: Queues, bucket: Bucket, tmp_path: Path
) -> None:
    queues.send(bucket.pointer("gone"))
    with _program(queues, bucket, tmp_path) as program:
        assert program.hears("job.finished").fields["outcome"] == "dead_lettered"
    (letter,) = queues.dead_letters()
    reason = letter["MessageAttributes"]["watchbot.Reason"]["StringValue"]
    assert reason == f"its payload s3://{bucket.name}/gone does not exist"


def test_a_payload_that_s3_does_not_give_keeps_its_lease_and_is_tried_again(
    queues: Queues, bucket: Bucket, tmp_path: Path
) -> None:
    """The whole bucket is missing: somebody's mistake, which no message is to pay for."""
    bucket.s3.delete_bucket(Bucket=bucket.name)
    (message,) = queues.send(bucket.pointer("key"))
    with _program(queues, bucket, tmp_path) as program:
        failed = program.hears("job.start_failed")
        assert f"its payload s3://{bucket.name}/key: " in failed.fields["reason"]
        bucket.s3.create_bucket(Bucket=bucket.name)
        bucket.put("key", b"payload")
        assert program.hears("job.finished").fields["outcome"] == "succeeded"
    assert (tmp_path / message).read_bytes() == b"payload"
