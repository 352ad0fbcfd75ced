from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac

import pytest

from tests.simulation.signed import GITHUB, HEADER, QUEUE, SECRET, STRIPE, message, sign
from watchbot.contract import HmacAlgorithm, HmacEncoding, Settings
from watchbot.message import Message
from watchbot.signature import InvalidSignatureError, SignatureRule, is_from_webhook

STRIPE_SECRET = b"whsec_test"
STRIPE_BODY = '{"id": "evt_1"}'
STRIPE_TIME = 1_700_000_000


def _is_valid(settings: Settings, signed: Message, *secrets: bytes) -> bool:
    rule = SignatureRule(settings)
    return rule.bears_out(rule.claim(signed), secrets)


def _stripe(header: str, came_in_at: float = STRIPE_TIME) -> Message:
    return message(STRIPE_BODY, {"stripe-signature": header}, came_in_at)


def _stripe_v1(secret: bytes = STRIPE_SECRET) -> str:
    return hmac.new(secret, f"{STRIPE_TIME}.{STRIPE_BODY}".encode(), hashlib.sha256).hexdigest()


def test_githubs_own_example_is_valid() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert _is_valid(GITHUB, message("Hello, World!", {HEADER: signature}), SECRET)


def test_another_body_another_secret_or_no_secret_is_not() -> None:
    signature = sign("Hello, World!")
    assert not _is_valid(GITHUB, message("Hello, World?", {HEADER: signature}), SECRET)
    assert not _is_valid(GITHUB, message("Hello, World!", {HEADER: signature}), b"another")
    assert not _is_valid(GITHUB, message("Hello, World!", {HEADER: signature}))


def test_any_of_the_secrets_is_enough() -> None:
    signed = message("x", {HEADER: sign("x", b"previous")})
    assert _is_valid(GITHUB, signed, b"current", b"previous")


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("", "had no x-hub-signature-256"),
        ("757107ea", "does not begin with sha256="),
        ("sha1=757107ea", "does not begin with sha256="),
    ],
)
def test_refuses_a_signature_of_another_form(header: str, problem: str) -> None:
    with pytest.raises(InvalidSignatureError, match=problem):
        SignatureRule(GITHUB).claim(message("x", {HEADER: header} if header else {}))


@pytest.mark.parametrize("signature", ["sha256=", "sha256=zz", "sha256=\u00e9", "sha256=\U0001f600" * 9])
def test_a_signature_that_is_none_is_only_invalid(signature: str) -> None:
    assert not _is_valid(GITHUB, message("x", {HEADER: signature}), SECRET)


@pytest.mark.parametrize("algorithm", list(HmacAlgorithm))
@pytest.mark.parametrize("encoding", list(HmacEncoding))
def test_other_senders_sign_with_other_functions_and_encodings(
    algorithm: HmacAlgorithm, encoding: HmacEncoding
) -> None:
    settings = Settings(
        queue_url=QUEUE, hmac_secret="arn", hmac_header="x-sig", hmac_algorithm=algorithm, hmac_encoding=encoding
    )
    digest = hmac.digest(SECRET, "\u00fcber".encode(), algorithm.value)
    written = base64.b64encode(digest).decode() if encoding is HmacEncoding.BASE64 else digest.hex()
    assert _is_valid(settings, message("\u00fcber", {"x-sig": written}), SECRET)
    assert _is_valid(settings, message("\u00fcber", {"x-sig": written.upper()}), SECRET) is (
        encoding is HmacEncoding.HEX
    )


def test_stripe_signs_time_and_body() -> None:
    """Computed with OpenSSL: printf '%s' '1700000000.{"id": "evt_1"}' | openssl dgst -sha256 -hmac whsec_test."""
    signature = "a0c091828640f0b68061abc7c03981ad1100ff7160c5dba6b656239494a2b537"
    assert _stripe_v1() == signature
    assert _is_valid(STRIPE, _stripe(f"t={STRIPE_TIME},v1={signature},v0=ab"), STRIPE_SECRET)
    assert not _is_valid(STRIPE, _stripe(f"t={STRIPE_TIME + 1},v1={signature}"), STRIPE_SECRET)


def test_one_of_several_signatures_of_stripe_is_enough() -> None:
    header = f"t={STRIPE_TIME}, v1={_stripe_v1(b'old')}, v1={_stripe_v1()}"
    assert _is_valid(STRIPE, _stripe(header), STRIPE_SECRET)


@pytest.mark.parametrize("off_seconds", [-300, 0, 300])
def test_the_time_of_signing_is_held_against_when_the_request_came_in(off_seconds: int) -> None:
    """It is years before this test runs: how long the message has waited does not matter."""
    signed = _stripe(f"t={STRIPE_TIME},v1={_stripe_v1()}", STRIPE_TIME + off_seconds)
    assert _is_valid(STRIPE, signed, STRIPE_SECRET)


@pytest.mark.parametrize("off_seconds", [-301, 301])
def test_refuses_a_request_that_was_recorded_and_sent_again(off_seconds: int) -> None:
    signed = _stripe(f"t={STRIPE_TIME},v1={_stripe_v1()}", STRIPE_TIME + off_seconds)
    with pytest.raises(InvalidSignatureError, match="signed 301 seconds from when it came in"):
        SignatureRule(STRIPE).claim(signed)
    assert _is_valid(dataclasses.replace(STRIPE, hmac_tolerance_seconds=301), signed, STRIPE_SECRET)


@pytest.mark.parametrize(
    "header",
    [
        "v1=ab",
        "t=1700000000",
        "t=1700000000,v0=ab",
        "t=1700000000,t=1700000001,v1=ab",
        "t=,v1=ab",
        "t=-1,v1=ab",
        "t=\u0661,v1=ab",
        "t=" + "9" * 5000 + ",v1=ab",
        ",,,=",
        "t",
    ],
)
def test_refuses_what_stripe_never_sends(header: str) -> None:
    with pytest.raises(InvalidSignatureError):
        SignatureRule(STRIPE).claim(_stripe(header))


@pytest.mark.parametrize("time", ["", "now", "1e9", "-5", "9" * 5000])
def test_refuses_a_mark_that_is_no_time(time: str) -> None:
    marked = {"watchbot.WebhookTime": {"DataType": "String", "StringValue": time}}
    with pytest.raises(InvalidSignatureError, match=r"its watchbot\.WebhookTime is no time"):
        SignatureRule(GITHUB).claim(Message("id", "handle", "x", {}, marked, 0))


def test_only_what_the_webhook_has_marked_came_through_it() -> None:
    assert is_from_webhook(message("x", {}))
    assert not is_from_webhook(Message("id", "handle", "x", {}, {HEADER: {"StringValue": "sha256=ab"}}, 0))
