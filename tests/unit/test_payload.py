from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulation.payloads import SimulatedPayloads
from tests.simulation.virtual_time import run_virtual
from watchbot.contract import Outcome
from watchbot.message import Message
from watchbot.notice import JobFinished, LeaseLost, Received
from watchbot.payload import Pointer, pointer_in
from watchbot.payload_cleaner import PayloadCleaner
from watchbot.payload_store import (
    PayloadDeniedError,
    PayloadError,
    PayloadGoneError,
    PayloadUnreadableError,
    kind_of_read,
)
from watchbot.result import Result
from watchbot.settlement import DeadLetter, Delete, Return, Settlement

KIND = "software.amazon.payloadoffloading.PayloadS3Pointer"
POINTER = Pointer("ours", "a/b")
MESSAGE = Message("m-1", "handle", "body", {}, {}, 0)


def test_a_pointer_into_the_bucket_is_one() -> None:
    assert pointer_in(json.dumps([KIND, {"s3BucketName": "ours", "s3Key": "a/b"}]), "ours") == POINTER


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([KIND, {"s3BucketName": "theirs", "s3Key": "a/b"}]),
        json.dumps(["another.Kind", {"s3BucketName": "ours", "s3Key": "a/b"}]),
        json.dumps([KIND, {"s3BucketName": "ours", "s3Key": 1}]),
        json.dumps([KIND, {"s3BucketName": "ours"}]),
        # No key that S3 could have: the client refuses it before S3 is asked, for ever.
        json.dumps([KIND, {"s3BucketName": "ours", "s3Key": ""}]),
        json.dumps([KIND, {"s3BucketName": "ours", "s3Key": "\ud800"}]),
        json.dumps([KIND, {"s3BucketName": "ours", "s3Key": "a"}, "more"]),
        json.dumps([[KIND], {"s3BucketName": "ours", "s3Key": "a"}]),
        json.dumps({KIND: {"s3BucketName": "ours", "s3Key": "a/b"}}),
        f'["{KIND}"',
        "[" * 100_000,
        "",
    ],
)
def test_anything_else_is_a_text(text: str) -> None:
    assert pointer_in(text, "ours") is None


def test_without_a_bucket_there_are_no_pointers() -> None:
    assert pointer_in(json.dumps([KIND, {"s3BucketName": "ours", "s3Key": "a/b"}]), None) is None


class _Refusing(SimulatedPayloads):
    async def delete(self, pointer: Pointer) -> None:
        raise PayloadError(f"its payload {pointer}: no")


@pytest.mark.parametrize(
    ("outcome", "settlement", "lost", "deleted"),
    [
        (Outcome.SUCCEEDED, Delete(), False, True),
        (Outcome.SUCCEEDED, Delete(), True, False),
        (Outcome.SUCCEEDED, Return(90), False, False),
        (Outcome.REJECTED, Delete(), False, False),
        (Outcome.FAILED, DeadLetter("x"), False, False),
    ],
)
def test_only_a_message_surely_done_with_loses_its_payload(
    outcome: Outcome, settlement: Settlement, lost: bool, deleted: bool
) -> None:
    payloads = SimulatedPayloads()
    payloads.objects[POINTER] = b"payload"

    async def check() -> None:
        cleaner = PayloadCleaner(payloads, lambda _: POINTER, lambda _: [], lambda *_: None)
        if lost:
            cleaner(LeaseLost(MESSAGE))
        cleaner(JobFinished(MESSAGE, Result(outcome), settlement))
        await cleaner.finish()

    run_virtual(check())
    assert (POINTER not in payloads.objects) is deleted


def test_a_message_received_again_after_its_lease_was_lost_loses_its_payload() -> None:
    payloads = SimulatedPayloads()
    payloads.objects[POINTER] = b"payload"

    async def check() -> None:
        cleaner = PayloadCleaner(payloads, lambda _: POINTER, lambda _: [], lambda *_: None)
        cleaner(LeaseLost(MESSAGE))
        cleaner(Received(MESSAGE, again=True))
        cleaner(JobFinished(MESSAGE, Result(Outcome.SUCCEEDED), Delete()))
        await cleaner.finish()

    run_virtual(check())
    assert payloads.objects == {}


def test_an_object_that_cannot_be_deleted_is_told_of() -> None:
    told: list[tuple[str, str]] = []

    async def check() -> None:
        cleaner = PayloadCleaner(_Refusing(), lambda _: POINTER, lambda _: [], lambda *what: told.append(what))
        cleaner(JobFinished(MESSAGE, Result(Outcome.SUCCEEDED), Delete()))
        await asyncio.sleep(0)
        await cleaner.finish()

    run_virtual(check())
    assert told == [("m-1", "its payload s3://ours/a/b: no")]


def _answer(code: str, status: int, text: str = "") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetObject")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_answer("AccessDenied", 403, "not authorized to perform: kms:Decrypt on resource"), PayloadUnreadableError),
        (_answer("InvalidRequest", 400, "The object was stored using a form of Server Side"), PayloadUnreadableError),
        (_answer("KMS.DisabledException", 400), PayloadUnreadableError),
        (_answer("MethodNotAllowed", 405), PayloadUnreadableError),
        (_answer("InvalidObjectState", 403), PayloadGoneError),
        (_answer("AccessDenied", 403, "Access Denied"), PayloadDeniedError),
        (_answer("NoSuchBucket", 404), PayloadError),
        (_answer("ExpiredToken", 400), PayloadError),
        (_answer("InvalidAccessKeyId", 403), PayloadError),
        (_answer("RequestTimeout", 400), PayloadError),
        (_answer("KMS.ThrottlingException", 400), PayloadError),
        (_answer("SlowDown", 503), PayloadError),
        (_answer("TooManyRequests", 429), PayloadError),
    ],
)
def test_an_answer_of_s3_says_whether_one_object_or_the_service_is_at_fault(
    error: ClientError, kind: type[PayloadError]
) -> None:
    assert kind_of_read(error) is kind
