"""The secret that senders sign with: fetched from Secrets Manager, kept a while, and fetched again when in doubt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import botocore.config
from botocore.exceptions import ClientError

from watchbot.aws_session import AwsAccess
from watchbot.call_threads import CallThreads

_KEPT_SECONDS = 300.0
"""A secret that was taken back is believed for as long as this at most."""

_APART_SECONDS = 5.0
"""Between two fetches: what forged messages can cost is bounded."""

_CLOCKS_SECONDS = 5.0
"""By how much the clock of the webhook and ours may differ."""

_CALL_SECONDS = 30.0
"""Both values as a whole, with botocore's own attempts."""

_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


class SecretError(Exception):
    """The secret is not to be had now; it says nothing about a signature."""


class Secrets(Protocol):
    """What the watcher asks of Secrets Manager."""

    async def fetch(self) -> tuple[bytes, ...]:
        """Give the current value of the secret, and the previous one if there is one; raises :class:`SecretError`."""

    @property
    def changed_at(self) -> float:
        """When the newest of the values last fetched was stored, in seconds since 1970."""


class SigningSecret:
    """Keeps the values, and knows when a signature that none of them makes is proved to be invalid.

    A message may be signed with a secret that was stored after the last fetch. So a mismatch counts only when the
    values were fetched after the message came in; all messages that wait for such a fetch share it.

    The age of the values is measured by the event loop's clock, which nobody sets. ``now`` is the wall clock, in
    seconds since 1970: it only says how long ago a message came in.
    """

    def __init__(self, secrets: Secrets, now: Callable[[], float]) -> None:
        self._secrets = secrets
        self._now = now
        self._values: tuple[bytes, ...] = ()
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")
        self._seen_changed_at = float("-inf")
        self._failure: str | None = None
        self._lock = asyncio.Lock()

    async def values(self) -> tuple[bytes, ...]:
        """Give the values, five minutes old at most; raises :class:`SecretError`."""
        return await self._fetched_after(_steady() - _KEPT_SECONDS)

    async def values_after(self, came_in_at: float) -> tuple[bytes, ...]:
        """Give the values as they were after this time; raises :class:`SecretError`."""
        age_seconds = self._now() - came_in_at - _CLOCKS_SECONDS
        return await self._fetched_after(_steady() - max(0.0, age_seconds))

    def was_changed_after(self, came_in_at: float) -> bool:
        """Whether a value that was good when a message came in may be gone from those last fetched.

        A value may be stored long before it becomes the current one, and only a fetch shows that.
        """
        age_seconds = self._now() - came_in_at
        was_seen = age_seconds + _CLOCKS_SECONDS > _steady() - self._seen_changed_at
        return was_seen or came_in_at < self._secrets.changed_at + _CLOCKS_SECONDS

    async def _fetched_after(self, moment: float) -> tuple[bytes, ...]:
        if self._fetched_at >= moment:
            return self._values  # and wait for nobody else's fetch
        async with self._lock:
            if self._fetched_at < moment:
                await self._fetch()
            return self._values

    async def _fetch(self) -> None:
        pause = self._asked_at + _APART_SECONDS - _steady()
        if pause > 0 and self._failure is not None:
            raise SecretError(self._failure)  # all that wait share a failure, too
        await asyncio.sleep(max(0.0, pause))
        self._asked_at = asked_at = _steady()
        try:
            values = await self._secrets.fetch()
        except SecretError as error:
            self._failure = str(error)
            raise
        if values != self._values and self._values:
            self._seen_changed_at = _steady()
        self._values = values
        self._failure = None
        self._fetched_at = asked_at


def _steady() -> float:
    return asyncio.get_running_loop().time()


class BotoSecrets:
    """boto3 behind the protocol, in a thread of its own."""

    def __init__(self, aws: AwsAccess, secret: str, field: str | None) -> None:
        config = botocore.config.Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard"})
        self._client = aws.client("secretsmanager", config)
        self._secret = secret
        self._field = field
        self._threads = CallThreads(1, "secret", _CALL_SECONDS)
        self._changed_at = float("-inf")

    @property
    def changed_at(self) -> float:
        """When the newer of the two values was stored.

        https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
        """
        return self._changed_at

    async def fetch(self) -> tuple[bytes, ...]:
        """Get both values; a secret that was never rotated has no previous one."""
        try:
            return await self._threads.make(self._both)
        except SecretError:
            raise
        except Exception as error:
            raise SecretError(f"the secret {self._secret}: {error}") from error

    def _both(self) -> tuple[bytes, ...]:
        current, changed_at = self._value(_CURRENT)
        try:
            previous, stored_at = self._value(_PREVIOUS)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
                raise
        except SecretError:
            pass  # what it was before it had this field
        else:
            # A value that was current before may be current again: then the other one is the newer.
            self._changed_at = max(changed_at, stored_at)
            return (current, previous)
        self._changed_at = changed_at
        return (current,)

    def _value(self, stage: str) -> tuple[bytes, float]:
        """Get a value and when it was stored."""
        answer: dict[str, Any] = self._client.get_secret_value(SecretId=self._secret, VersionStage=stage)
        text = answer.get("SecretString")
        value = answer.get("SecretBinary") if text is None else text
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogatepass")
        if not isinstance(value, bytes):
            raise SecretError(f"the secret {self._secret} has no value")
        if self._field is not None:
            value = self._in_json(value)
        if not value:
            raise SecretError(f"the secret {self._secret} is empty")
        stored: datetime | None = answer.get("CreatedDate")
        return value, float("-inf") if stored is None else stored.timestamp()

    def _in_json(self, value: bytes) -> bytes:
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            found = None
        text = found.get(self._field) if isinstance(found, dict) else None
        if not isinstance(text, str):
            raise SecretError(f"the secret {self._secret} is no JSON object with a text {self._field}")
        return text.encode("utf-8", "surrogatepass")
