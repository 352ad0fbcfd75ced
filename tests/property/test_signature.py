"""Whatever is signed is valid, and nothing that was not signed is; no attribute of a message raises."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.property.messages import ANY_TEXT
from tests.simulation.signed import GITHUB, HEADER, STRIPE, message, sign
from watchbot.contract import Settings
from watchbot.message import Message
from watchbot.signature import InvalidSignatureError, SignatureRule

SENDABLE = st.text(st.characters(exclude_categories=["Cs"]))
SECRET = st.binary(min_size=1, max_size=200)


def _is_valid(settings: Settings, signed: Message, *secrets: bytes) -> bool:
    rule = SignatureRule(settings)
    try:
        return rule.bears_out(rule.claim(signed), secrets)
    except InvalidSignatureError:
        return False


@given(SENDABLE, SECRET, st.lists(SECRET, max_size=2))
def test_what_is_signed_with_a_known_secret_is_valid(body: str, secret: bytes, others: list[bytes]) -> None:
    assert _is_valid(GITHUB, message(body, {HEADER: sign(body, secret)}), *others, secret)


@given(SENDABLE, SENDABLE, SECRET)
def test_a_signature_is_good_for_its_own_body_alone(body: str, other: str, secret: bytes) -> None:
    assume(body != other)
    assert not _is_valid(GITHUB, message(other, {HEADER: sign(body, secret)}), secret)


@given(SENDABLE, SECRET, SECRET)
def test_a_signature_is_good_for_its_own_secret_alone(body: str, secret: bytes, other: bytes) -> None:
    # HMAC itself takes a key and the same key with zeros at its end for one.
    assume(secret.rstrip(b"\0") != other.rstrip(b"\0") and max(len(secret), len(other)) <= 64)
    assert not _is_valid(GITHUB, message(body, {HEADER: sign(body, secret)}), other)


@given(ANY_TEXT, ANY_TEXT, st.none() | ANY_TEXT | st.integers().map(str), st.sampled_from([GITHUB, STRIPE]))
def test_any_nonsense_is_only_invalid(body: str, header: str, time: str | None, settings: Settings) -> None:
    given_attributes = {"watchbot.WebhookTime": time, HEADER: header, "stripe-signature": header}
    attributes = {name: {"StringValue": value} for name, value in given_attributes.items() if value is not None}
    assert not _is_valid(settings, Message("id", "handle", body, {}, attributes, 0), b"secret")


@given(st.lists(st.sampled_from(["t=1", "t=0", "t=x", "v1=ab", "v1=", "v0=ab", "", "=", "t", " t=1 "])))
def test_any_list_of_stripes_parts_is_only_invalid(parts: list[str]) -> None:
    assert not _is_valid(STRIPE, message("x", {"stripe-signature": ",".join(parts)}), b"secret")
