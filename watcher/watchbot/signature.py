"""What a signed webhook message claims, and whether a secret bears that out. No I/O."""

from __future__ import annotations

import base64
import dataclasses
import hmac
from collections.abc import Iterable

from watchbot.contract import WEBHOOK_TIME, WEBHOOK_VERIFIED_TYPE, HmacEncoding, HmacScheme, Settings
from watchbot.message import Message


class InvalidSignatureError(Exception):
    """No secret can make this message a valid one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """What was signed, the signatures given for it, any one of which is enough, and when the request came in."""

    signed: bytes
    signatures: tuple[str, ...]
    came_in_at: float


def is_from_webhook(message: Message) -> bool:
    """Whether a message came through the webhook, which marks it whatever its caller sends."""
    return WEBHOOK_TIME in message.message_attributes


def is_verified(message: Message) -> bool:
    """Whether a message of the webhook carries the note that its caller was found to be genuine."""
    return message.message_attributes.get(WEBHOOK_TIME, {}).get("DataType") == WEBHOOK_VERIFIED_TYPE


def came_in_at(message: Message) -> float:
    """Return when the webhook took the request, in seconds since 1970; raises :class:`InvalidSignatureError`."""
    return _milliseconds(_text(message, WEBHOOK_TIME)) / 1000


class SignatureRule:
    """How the senders of one service sign.

    GitHub signs the body: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.
    Stripe signs the time of sending and the body, and may give several signatures: https://docs.stripe.com/webhooks.
    That time is held against when the request came in, not against the clock: a message may have waited for days.
    """

    def __init__(self, settings: Settings) -> None:
        self._attribute = settings.hmac_header or ""
        self._scheme = settings.hmac_scheme
        self._algorithm = settings.hmac_algorithm.value
        self._encoding = settings.hmac_encoding
        self._prefix = settings.hmac_prefix
        self._tolerance_seconds = settings.hmac_tolerance_seconds

    def claim(self, message: Message) -> Claim:
        """Read what a message claims; raises :class:`InvalidSignatureError` with what is wrong whatever the secret."""
        came_at = came_in_at(message)
        given = _text(message, self._attribute)
        if not given:
            raise InvalidSignatureError(f"the request had no {self._attribute}")
        body = message.body.encode("utf-8", "surrogatepass")
        match self._scheme:
            case HmacScheme.BODY:
                if not given.startswith(self._prefix):
                    raise InvalidSignatureError(f"its {self._attribute} does not begin with {self._prefix}")
                return Claim(body, (given.removeprefix(self._prefix),), came_at)
            case HmacScheme.STRIPE:
                return self._timed(given, body, came_at)

    def _timed(self, given: str, body: bytes, came_in_at: float) -> Claim:
        pairs = [part.strip().partition("=") for part in given.split(",")]
        times = [value for name, _, value in pairs if name == "t"]
        signatures = tuple(value for name, _, value in pairs if name == "v1")
        if len(times) != 1 or not signatures:
            raise InvalidSignatureError(f"its {self._attribute} is not t=…,v1=…")
        (time,) = times
        off_seconds = abs(_whole(time) - came_in_at)
        if off_seconds > self._tolerance_seconds:
            raise InvalidSignatureError(f"it was signed {off_seconds:.0f} seconds from when it came in")
        return Claim(time.encode() + b"." + body, signatures, came_in_at)

    def bears_out(self, claim: Claim, secrets: Iterable[bytes]) -> bool:
        """Whether one of the secrets makes one of the signatures; the time it takes tells nothing of how nearly."""
        made = [self._encode(hmac.digest(secret, claim.signed, self._algorithm)) for secret in secrets]
        given = [self._comparable(signature) for signature in claim.signatures]
        found = False
        for one in made:
            for other in given:
                found |= hmac.compare_digest(one, other)
        return found

    def _encode(self, digest: bytes) -> bytes:
        return base64.b64encode(digest) if self._encoding is HmacEncoding.BASE64 else digest.hex().encode()

    def _comparable(self, signature: str) -> bytes:
        text = signature if self._encoding is HmacEncoding.BASE64 else signature.lower()
        return text.encode("utf-8", "surrogatepass")


def _text(message: Message, attribute: str) -> str:
    value = message.message_attributes.get(attribute, {}).get("StringValue")
    return value if isinstance(value, str) else ""


def _milliseconds(text: str) -> int:
    try:
        return _whole(text)
    except InvalidSignatureError:
        raise InvalidSignatureError(f"its {WEBHOOK_TIME} is no time") from None


def _whole(text: str) -> int:
    """Read a time; the digits are counted first, because Python refuses thousands of them with another error."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise InvalidSignatureError("it was signed at what is no time")
    return int(text)
