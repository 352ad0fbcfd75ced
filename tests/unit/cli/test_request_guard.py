"""The AWS on this machine answers whoever started it, and neither web pages nor other users."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from watchbot_cli.local.request_guard import Receive, RequestGuard, Scope, Send

KEY = "WATCHBOT0123"
SIGNED = (
    b"authorization",
    b"AWS4-HMAC-SHA256 Credential=WATCHBOT0123/20260101/us-east-1/sqs/aws4_request, Signature=0",
)
HOST = (b"host", b"127.0.0.1:40000")


async def _answer_200(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


def _status(headers: Sequence[tuple[bytes, bytes]], query: bytes = b"", kind: str = "http") -> Any:
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    async def receive() -> Any:
        raise AssertionError("the guard reads no body")

    guard = RequestGuard(_answer_200, KEY, "169.254.170.2")
    asyncio.run(guard({"type": kind, "headers": list(headers), "query_string": query}, receive, send))
    return sent[0].get("status", sent[0].get("code"))


@pytest.mark.parametrize(
    "host", [b"127.0.0.1:40000", b"localhost", b"LOCALHOST:1", b"169.254.170.2:9", b"b.localhost:4"]
)
def test_a_signed_request_to_this_machine_passes(host: bytes) -> None:
    assert _status([(b"host", host), SIGNED]) == 200


@pytest.mark.parametrize(
    "query",
    [
        b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=WATCHBOT0123%2F20260101%2Fus-east-1%2Fs3%2Faws4_request",
        b"X-Amz-Credential=WATCHBOT0123/20260101/us-east-1/s3/aws4_request",
        b"AWSAccessKeyId=WATCHBOT0123&Signature=0&Expires=1796082000",
    ],
)
def test_a_presigned_url_passes(query: bytes) -> None:
    assert _status([HOST], query) == 200


@pytest.mark.parametrize(
    "header",
    [
        (b"origin", b"http://evil.example"),
        (b"Origin", b"null"),
        (b"origin", b"http://127.0.0.1:40000"),
        (b"sec-fetch-site", b"cross-site"),
        (b"sec-fetch-mode", b"no-cors"),
        (b"Sec-Fetch-Dest", b"image"),
    ],
)
def test_refuses_what_a_browser_sends_even_with_the_key(header: tuple[bytes, bytes]) -> None:
    assert _status([HOST, SIGNED, header]) == 403
    assert _status([HOST, SIGNED, header], kind="websocket") == 1008


@pytest.mark.parametrize(
    "hosts",
    [
        [b"evil.example:40000"],
        [b"evil.example"],
        [b"127.0.0.1.evil.example:40000"],
        [b"localhost.evil.example"],
        [b"evillocalhost"],
        [b"127.0.0.1:40000", b"evil.example"],
        [b""],
        [],
    ],
)
def test_refuses_foreign_host_names_even_with_the_key(hosts: list[bytes]) -> None:
    assert _status([*((b"host", host) for host in hosts), SIGNED]) == 403


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([], b""),
        ([], b"Action=ListQueues&Version=2012-11-05"),
        ([(b"authorization", b"AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/sqs/aws4_request")], b""),
        ([(b"authorization", b"AWS4-HMAC-SHA256 Credential=WATCHBOT01/20260101/us-east-1/sqs/aws4_request")], b""),
        ([(b"content-type", b"text/plain")], b"X-Amz-Credential=x"),
        ([(b"x-other", SIGNED[1])], b""),
    ],
)
def test_refuses_who_does_not_have_the_key(headers: list[tuple[bytes, bytes]], query: bytes) -> None:
    assert _status([HOST, *headers], query) == 403


def test_the_start_of_the_server_passes() -> None:
    started: list[str] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        started.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        return {}

    asyncio.run(RequestGuard(application, KEY, "127.0.0.1")({"type": "lifespan"}, nothing, nothing))
    assert started == ["lifespan"]


def test_keys_that_sts_hands_out_to_who_has_the_key_are_keys_too() -> None:
    answered: list[Any] = []

    async def send(event: Any) -> None:
        answered.append(event)

    async def receive() -> Any:
        raise AssertionError("the guard reads no body")

    async def assume_role(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"<AccessKeyId>ASIA7</AccessKeyId>"})

    def signed(key: str, service: str) -> Any:
        text = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request, Signature=0"
        return {"type": "http", "headers": [HOST, (b"authorization", text.encode())], "query_string": b""}

    guard = RequestGuard(assume_role, KEY, "127.0.0.1")

    def status(key: str, service: str) -> Any:
        answered.clear()
        asyncio.run(guard(signed(key, service), receive, send))
        return answered[0]["status"]

    assert status("ASIA7", "sqs") == 403
    assert status(KEY, "sqs") == 200
    assert status("ASIA7", "sqs") == 403  # no answer of STS
    assert status(KEY, "sts") == 200
    assert status("ASIA7", "sqs") == 200
    assert status("ASIA8", "sqs") == 403
