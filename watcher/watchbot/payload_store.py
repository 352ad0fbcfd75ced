"""The objects in S3 that are messages' texts: a small asynchronous protocol, and boto3 in threads behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import botocore.config
from botocore.exceptions import ClientError, ParamValidationError

from watchbot import call_threads
from watchbot.aws_session import AwsAccess
from watchbot.call_threads import CallThreads
from watchbot.deadline import progressed
from watchbot.payload import Pointer
from watchbot.result import StartFault

_T = TypeVar("_T")

_GONE = {"NoSuchKey", "404"}
_NEVER = {"KeyTooLongError", "InvalidArgument", "InvalidObjectState", "InvalidURI"}
"""What S3 would answer at any other time too: such an object does not exist, or has been archived."""

_DENIED = {"AccessDenied", "403", "Forbidden"}

_OF_THE_SERVICE = {
    "AccountProblem",
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidSecurity",
    "InvalidToken",
    "NoSuchBucket",
    "NotSignedUp",
    "OperationAborted",
    "PermanentRedirect",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
"""Answers with a status of 4xx that say nothing of the object: credentials, the bucket, the clock, a slow connection.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

_THREADS = 8

_CALL_SECONDS = 60.0
"""A call as a whole, with botocore's own attempts; and each mebibyte of a payload that is being fetched."""

_FETCH_SECONDS = 4 * 3600.0
"""A payload as a whole: a task of Fargate has room for 200 GiB, which take two hours at 30 MB/s."""

_CHUNK_BYTES = 1 << 20

_SIGNED_SECONDS_AT_MOST = 43_200
_READ_SECONDS = 30 * 60
"""How long a worker that has started may take to read its message."""


class PayloadError(Exception):
    """S3 did not give the object; it may at another time."""

    fault = StartFault.SERVICE


class PayloadGoneError(PayloadError):
    """The object does not exist, or S3 will never be able to return it."""

    fault = StartFault.MESSAGE


class NoThreadError(PayloadError):
    """No thread could be started to ask S3."""

    fault = StartFault.LOCAL


class PayloadUnreadableError(PayloadError):
    """S3 refuses this object: its key of KMS, its encryption, its size. Others may well be readable."""

    fault = StartFault.MESSAGE


class PayloadDeniedError(PayloadError):
    """S3 denies access: to this object, or to the whole bucket. One answer does not tell which."""

    fault = StartFault.EITHER


KindOf = Callable[[ClientError], type[PayloadError]]
"""Chooses what an answer of S3 means."""


class Payloads(Protocol):
    """What the watcher asks of S3. Every call raises :class:`PayloadError` when it fails."""

    async def fetch(self, pointer: Pointer, file: str, limit: int) -> None:
        """Write the object to a file if it has at most ``limit`` bytes; raises OSError when that fails."""

    async def text(self, pointer: Pointer, limit: int) -> str | None:
        """Give the object; None when it is no text, or longer than this many bytes."""

    async def put(self, pointer: Pointer, text: bytes) -> None:
        """Write the object."""

    async def renew(self, pointer: Pointer) -> None:
        """Make the object as young as if it was just written."""

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
        self._threads = CallThreads(_THREADS, "payload", _CALL_SECONDS)

    async def fetch(self, pointer: Pointer, file: str, limit: int) -> None:
        """Stream the object, which may be larger than memory, as long as each mebibyte comes within a minute."""

        def call() -> None:
            answer = self._client.get_object(Bucket=pointer.bucket, Key=pointer.key)
            with answer["Body"] as body:
                size = answer.get("ContentLength", 0)
                if size > limit:
                    raise PayloadUnreadableError(f"its payload {pointer} has {size} bytes, the disk at most {limit}")
                with Path(file).open("wb", buffering=0) as target:
                    while chunk := body.read(_CHUNK_BYTES):
                        progressed()
                        target.write(chunk)

        await self._in_thread(pointer, call, most_seconds=_FETCH_SECONDS)

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
            pointer, lambda: self._client.put_object(Bucket=pointer.bucket, Key=pointer.key, Body=text), _of_the_bucket
        )

    async def renew(self, pointer: Pointer) -> None:
        """Copy the object onto itself, which S3 takes when its metadata is replaced.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
        """
        place = {"Bucket": pointer.bucket, "Key": pointer.key}
        await self._in_thread(
            pointer, lambda: self._client.copy_object(**place, CopySource=place, MetadataDirective="REPLACE")
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

    async def _in_thread(
        self,
        pointer: Pointer,
        call: Callable[[], _T],
        kind_of: KindOf | None = None,
        *,
        most_seconds: float | None = None,
    ) -> _T:
        try:
            return await self._threads.make(call, most_seconds=most_seconds)
        except OSError as error:
            if most_seconds is not None:
                raise  # the file
            raise PayloadError(f"its payload {pointer}: {error}") from error
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code in _GONE:
                raise PayloadGoneError(f"its payload {pointer} does not exist") from error
            raise (kind_of or kind_of_read)(error)(f"its payload {pointer}: {error}") from error
        except PayloadError:
            raise
        except ParamValidationError as error:
            raise PayloadGoneError(f"its payload {pointer}: {error}") from error
        except call_threads.NoThreadError as error:
            raise NoThreadError(f"its payload {pointer}: {error}") from error
        except Exception as error:
            raise PayloadError(f"its payload {pointer}: {error}") from error


def _of_the_bucket(error: ClientError) -> type[PayloadError]:
    """Blame the service for a write: it goes into a bucket of its own."""
    del error
    return PayloadError


def kind_of_read(error: ClientError) -> type[PayloadError]:
    """Choose what an answer of S3 to the read of an object says: of the object, of the service, or of either.

    A key of KMS belongs to an object: the sender of a message chooses it. So does encryption with a key that only the
    sender has (SSE-C), which S3 answers with 400.
    """
    response: Mapping[str, Any] = error.response
    code = str(response.get("Error", {}).get("Code", ""))
    text = str(response.get("Error", {}).get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if code in _NEVER:
        return PayloadGoneError
    if code in _OF_THE_SERVICE or "Throttl" in code or status in (408, 409, 429) or not 400 <= status < 500:
        return PayloadError
    if code in _DENIED and "kms:" not in text.lower():
        return PayloadDeniedError
    return PayloadUnreadableError


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
