"""Signed messages of a webhook, and a Secrets Manager in virtual time."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Mapping

from watchbot.contract import HmacScheme, Settings
from watchbot.message import Message
from watchbot.signing_secret import SecretError

QUEUE = "https://sqs.eu-west-1.amazonaws.com/1/q"
HEADER = "x-hub-signature-256"
SECRET = b"It's a Secret to Everybody"

GITHUB = Settings(queue_url=QUEUE, hmac_secret="arn", hmac_header=HEADER, hmac_prefix="sha256=")
STRIPE = Settings(queue_url=QUEUE, hmac_secret="arn", hmac_header="stripe-signature", hmac_scheme=HmacScheme.STRIPE)


def sign(body: str, secret: bytes = SECRET) -> str:
    """Sign as GitHub does."""
    return "sha256=" + hmac.new(secret, body.encode(), hashlib.sha256).hexdigest()


def attributes(headers: Mapping[str, str], came_in_at: float) -> dict[str, dict[str, str]]:
    """Give the message attributes that the webhook sets."""
    marked = {"watchbot.WebhookTime": {"DataType": "Number", "StringValue": str(int(came_in_at * 1000))}}
    return marked | {name: {"DataType": "String", "StringValue": value} for name, value in headers.items()}


def message(body: str, headers: Mapping[str, str], came_in_at: float = 0) -> Message:
    """Give a message as the webhook sends it."""
    return Message("id", "handle", body, {}, attributes(headers, came_in_at), 0)


class SimulatedSecrets:
    """Gives ``stored``, newest first, after ``takes_seconds``; fails while there is a ``problem``."""

    def __init__(self, *stored: bytes) -> None:
        self.stored = stored
        self.changed_at = float("-inf")
        self.takes_seconds = 0.0
        self.problem: str | None = None
        self.fetched_at: list[float] = []

    async def fetch(self) -> tuple[bytes, ...]:
        self.fetched_at.append(asyncio.get_running_loop().time())
        found = self.stored
        await asyncio.sleep(self.takes_seconds)
        if self.problem is not None:
            raise SecretError(self.problem)
        return found
