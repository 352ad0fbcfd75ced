"""The wire to SQS: a small asynchronous protocol, and boto3 in threads behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import botocore.config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

from watchbot.aws_session import AwsAccess
from watchbot.call_threads import CallThreads
from watchbot.deadline import CallTimeoutError
from watchbot.receive_answer import take_messages

_T = TypeVar("_T")

POLL_SECONDS = 20
"""How long a receive waits for a message: SQS's longest, so that an idle watcher costs three requests a minute."""

TASK_POLL_SECONDS = 9
"""The same for a watcher whose workers outlive it: its drain waits 10 seconds for what is open."""

_CALL_TIMEOUT_SECONDS = 10
_CALLS_IN_A_LEASE = 6
"""A heartbeat that hangs must leave time for more of them before a short lease ends."""

_CALL_THREADS = 6
_HEARTBEAT_THREADS = 2

_CREDENTIAL_CODES = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
_MISSING_CODES = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
_REFUSED_CODES = {
    *_MISSING_CODES,
    "AccessDenied",
    "AccessDeniedException",
    "BatchRequestTooLong",
    "InvalidMessageContents",
    "InvalidParameterValue",
    "AWS.SimpleQueueService.UnsupportedOperation",
    "KmsAccessDenied",
    "KmsDisabled",
    "KmsNotFound",
}


class SqsError(Exception):
    """A call failed; ``refused`` when trying the same call again would not help."""

    def __init__(self, problem: str, *, code: str = "", refused: bool = False) -> None:
        self.code = code
        self.refused = refused
        super().__init__(problem)


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One line of a batch: a receipt handle, and the visibility timeout to set where that is what the batch does."""

    receipt_handle: str
    visibility_seconds: int = 0


class Sqs(Protocol):
    """What the watcher asks of SQS. Every call raises :class:`SqsError` when it fails as a whole.

    A batch holds at most 10 entries and answers with one error, or None, for each of them in order.
    ``poll_seconds`` is how long a receive waits for messages.
    """

    poll_seconds: float

    async def receive(self, limit: int) -> list[Any]:
        """Wait for up to ``limit`` messages; empty when none came. No entry of the answer has been checked yet."""

    async def delete(self, entries: Sequence[Entry]) -> list[SqsError | None]:
        """Delete messages."""

    async def change_visibility(self, entries: Sequence[Entry], *, heartbeat: bool) -> list[SqsError | None]:
        """Set visibility timeouts; heartbeats never wait behind other calls."""

    async def send(self, queue_url: str, fields: Mapping[str, Any]) -> None:
        """Send one message to another queue, with SendMessage's own fields."""


class BotoSqs:
    """boto3 behind the protocol: long polls, other calls and heartbeats each in threads of their own."""

    def __init__(
        self, queue_url: str, visibility_seconds: int, polls: int, aws: AwsAccess, poll_seconds: int = POLL_SECONDS
    ) -> None:
        self._queue_url = queue_url
        self._visibility_seconds = visibility_seconds
        self.poll_seconds: float = poll_seconds
        self._poller = _client(aws, poll_seconds + _CALL_TIMEOUT_SECONDS, polls)
        self._poller.meta.events.register("before-parse.sqs.ReceiveMessage", take_messages)
        timeout = max(1, min(_CALL_TIMEOUT_SECONDS, visibility_seconds // _CALLS_IN_A_LEASE))
        self._caller = _client(aws, timeout, _CALL_THREADS + _HEARTBEAT_THREADS)
        self._polls = CallThreads(polls, "poll", poll_seconds + _CALL_TIMEOUT_SECONDS)
        self._calls = CallThreads(_CALL_THREADS, "call", timeout)
        self._heartbeats = CallThreads(_HEARTBEAT_THREADS, "heartbeat", timeout)

    async def receive(self, limit: int) -> list[Any]:
        """Long-poll for messages.

        When the deadline of the call passes, its connection is closed and no message of a late answer is taken: SQS
        shows them again after the visibility timeout.
        """
        answer = await self._in_thread(
            self._polls,
            lambda: self._poller.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=int(self.poll_seconds),
                # The queue's own timeout may be another one, and the first heartbeat would come too late.
                VisibilityTimeout=self._visibility_seconds,
                # The name that every boto3 since 1.34 knows; newer ones call it MessageSystemAttributeNames.
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            ),
        )
        messages = answer.get("Messages", [])
        if not isinstance(messages, list):
            raise SqsError(f"{self._queue_url}: the answer to a receive holds no list of messages")
        return messages

    async def delete(self, entries: Sequence[Entry]) -> list[SqsError | None]:
        """Delete messages, ten a call."""
        lines = [{"Id": str(i), "ReceiptHandle": entry.receipt_handle} for i, entry in enumerate(entries)]
        answer = await self._in_thread(
            self._calls, lambda: self._caller.delete_message_batch(QueueUrl=self._queue_url, Entries=lines)
        )
        return _errors(answer, len(lines))

    async def change_visibility(self, entries: Sequence[Entry], *, heartbeat: bool) -> list[SqsError | None]:
        """Set visibility timeouts, ten a call."""
        lines = [
            {"Id": str(i), "ReceiptHandle": entry.receipt_handle, "VisibilityTimeout": entry.visibility_seconds}
            for i, entry in enumerate(entries)
        ]
        answer = await self._in_thread(
            self._heartbeats if heartbeat else self._calls,
            lambda: self._caller.change_message_visibility_batch(QueueUrl=self._queue_url, Entries=lines),
        )
        return _errors(answer, len(lines))

    async def send(self, queue_url: str, fields: Mapping[str, Any]) -> None:
        """Send one message."""
        await self._in_thread(self._calls, lambda: self._caller.send_message(QueueUrl=queue_url, **fields))

    def close(self) -> None:
        """Let go of the threads; a long poll still open ends by itself and is not waited for."""
        for threads in (self._polls, self._calls, self._heartbeats):
            threads.close()

    async def _in_thread(self, threads: CallThreads, call: Callable[[], _T]) -> _T:
        """Make the call; whatever stops it is an :class:`SqsError`, because only that is tried again."""
        try:
            return await threads.make(call)
        except Exception as error:
            raise sqs_error(error, self._queue_url) from error


def _client(aws: AwsAccess, read_timeout: int, connections: int) -> Any:
    config = botocore.config.Config(
        connect_timeout=5,
        read_timeout=read_timeout,
        max_pool_connections=connections,
        tcp_keepalive=True,
        # The watcher has its own rules for trying again, which know what a lease is.
        retries={"total_max_attempts": 1},
        user_agent_extra="watchbot",
    )
    return aws.client("sqs", config)


def _errors(answer: Mapping[str, Any], count: int) -> list[SqsError | None]:
    """Read the answer to a batch: a line that it does not name, or names unreadably, was not carried out by SQS."""
    missing = SqsError("the answer does not say what became of it", code="NoAnswer")
    errors: list[SqsError | None] = [missing] * count
    for line in _lines(answer.get("Successful")):
        if (number := _number(line, count)) is not None:
            errors[number] = None
    for line in _lines(answer.get("Failed")):
        if (number := _number(line, count)) is not None:
            code = str(line.get("Code") or "")
            text = str(line.get("Message") or code)
            errors[number] = SqsError(text, code=code, refused=bool(line.get("SenderFault")))
    return errors


def _lines(value: Any) -> list[Mapping[str, Any]]:
    return [line for line in value if isinstance(line, Mapping)] if isinstance(value, list) else []


def _number(line: Mapping[str, Any], count: int) -> int | None:
    """Read the number of a batch's line, which is its id."""
    text = line.get("Id")
    if not isinstance(text, str) or not (text.isascii() and text.isdecimal() and len(text) <= 2):
        return None
    return int(text) if int(text) < count else None


def sqs_error(error: Exception, queue_url: str) -> SqsError:
    """Say what went wrong in the operator's words: credentials and a missing queue are told apart."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return SqsError(f"no AWS credentials to work on {queue_url} with: {error}", code="NoCredentials")
    if isinstance(error, CredentialRetrievalError):
        return SqsError(
            f"the AWS credentials to work on {queue_url} with are not to be had: {error}", code="NoCredentials"
        )
    if isinstance(error, CallTimeoutError):
        return SqsError(f"{queue_url} cannot be reached: {error}", code=type(error).__name__)
    if isinstance(error, BotoCoreError):
        return SqsError(f"{queue_url} cannot be reached: {error}", code=type(error).__name__)
    if not isinstance(error, ClientError):
        return SqsError(f"{queue_url} cannot be called: {error!r}", code=type(error).__name__)
    code = str(error.response.get("Error", {}).get("Code") or "")
    if code in _MISSING_CODES:
        return SqsError(f"there is no queue {queue_url}", code=code, refused=True)
    if code in _CREDENTIAL_CODES:
        return SqsError(f"the AWS credentials are no longer valid: {error}", code=code)
    return SqsError(f"{queue_url}: {error}", code=code, refused=code in _REFUSED_CODES)
