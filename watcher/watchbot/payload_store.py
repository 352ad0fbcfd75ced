"""The objects in S3 that are messages' texts: a small asynchronous protocol, and boto3 in threads behind it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import botocore.config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError

from watchbot.aws_session import AwsAccess
from watchbot.payload import Pointer

_T = TypeVar("_T")

_GONE = {"NoSuchKey", "404"}
_NEVER = {"KeyTooLongError", "InvalidArgument", "InvalidObjectState", "InvalidURI"}
"""What S3 would answer at any other time too: such an object does not exist, or has been archived."""

_THREADS = 8

_SIGNED_SECONDS_AT_MOST = 43_200
_READ_SECONDS = 30 * 60
"""How long a worker that has started may take to read its message."""


class PayloadError(Exception):
    """S3 did not give the object; it may at another time."""


class PayloadGoneError(PayloadError):
    """There is no such object, and never will be one to be had."""


class Payloads(Protocol):
    """What the watcher asks of S3. Every call raises :class:`PayloadError` when it fails."""

    async def fetch(self, pointer: Pointer, file: str) -> None:
        """Write the object to a file; raises OSError when that cannot be written."""

    async def text(self, pointer: Pointer, limit: int) -> str | None:
        """Give the object; None when it is no text, or longer than this many bytes."""

    async def put(self, pointer: Pointer, text: bytes) -> None:
        """Write the object."""

    async def sign(self, pointer: Pointer) -> str:
        """Give a URL at which anyone can read the object for a while."""

    async def delete(self, pointer: Pointer) -> None:
        """Delete the object."""


class BotoPayloads:
    """boto3 behind the protocol, in threads of its own."""

    def __init__(self, aws: AwsAccess, start_timeout_seconds: int) -> None:
        self._aws = aws
        self._signed_seconds_at_least = start_timeout_seconds + _READ_SECONDS
        self._client = _client(aws)
        self._threads = ThreadPoolExecutor(_THREADS, "payload")

    async def fetch(self, pointer: Pointer, file: str) -> None:
        """Stream the object, which may be larger than memory."""

        def call() -> None:
            answer = self._client.get_object(Bucket=pointer.bucket, Key=pointer.key)
            with answer["Body"] as body, Path(file).open("wb", buffering=0) as target:
                shutil.copyfileobj(body, target, 1 << 20)

        await self._in_thread(pointer, call)

    async def text(self, pointer: Pointer, limit: int) -> str | None:
        """Read the object, if it is short."""

        def call() -> bytes:
            answer = self._client.get_object(Bucket=pointer.bucket, Key=pointer.key)
            with answer["Body"] as body:
                found: bytes = body.read(limit + 1)
                return found

        found = await self._in_thread(pointer, call)
        try:
            return found.decode() if len(found) <= limit else None
        except UnicodeDecodeError:
            return None

    async def put(self, pointer: Pointer, text: bytes) -> None:
        """Write the object."""
        await self._in_thread(
            pointer, lambda: self._client.put_object(Bucket=pointer.bucket, Key=pointer.key, Body=text)
        )

    async def sign(self, pointer: Pointer) -> str:
        """Sign a URL with credentials that are fresh enough, because it is good for only as long as they are.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
        """

        def call() -> str:
            if self._aws.renew(self._signed_seconds_at_least):
                self._client = _client(self._aws)
            parameters = {"Bucket": pointer.bucket, "Key": pointer.key}
            url: str = self._client.generate_presigned_url("get_object", parameters, _SIGNED_SECONDS_AT_MOST)
            return url

        return await self._in_thread(pointer, call)

    async def delete(self, pointer: Pointer) -> None:
        """Delete the object; fine when it is gone."""
        await self._in_thread(pointer, lambda: self._client.delete_object(Bucket=pointer.bucket, Key=pointer.key))

    async def _in_thread(self, pointer: Pointer, call: Callable[[], _T]) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                raise PayloadGoneError(f"its payload {pointer} does not exist") from error
            kind = PayloadGoneError if error.response.get("Error", {}).get("Code") in _NEVER else PayloadError
            raise kind(f"its payload {pointer}: {error}") from error
        except ParamValidationError as error:
            raise PayloadGoneError(f"its payload {pointer}: {error}") from error
        except (BotoCoreError, HTTPClientError, RuntimeError) as error:
            # RuntimeError: no thread could be started.
            raise PayloadError(f"its payload {pointer}: {error}") from error


def _client(aws: AwsAccess) -> Any:
    """Make a client whose presigned URLs name the Region's host.

    botocore would sign them for the global host otherwise, which answers for Regions that are switched on by default
    alone, and for a new bucket only after hours. An endpoint URL of one's own gets the bucket as a path.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """
    config = botocore.config.Config(
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=_THREADS,
        retries={"mode": "standard"},
        signature_version="s3v4",
        s3={
            "addressing_style": "path" if aws.has_own_endpoint("s3") else "virtual",
            "us_east_1_regional_endpoint": "regional",
        },
    )
    return aws.client("s3", config)
