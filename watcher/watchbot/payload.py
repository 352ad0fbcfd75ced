"""A message whose text is an object in S3: its body is a pointer to that."""

from __future__ import annotations

import dataclasses
import json

_POINTERS = {"software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer"}
POINTER_ATTRIBUTES = {"ExtendedPayloadSize", "SQSLargePayloadSize"}
"""What the senders' library adds to a message's attributes, and its receiving side takes away again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pointer:
    """An object in S3 that is a message's text."""

    bucket: str
    key: str

    def __str__(self) -> str:
        """Write it as the AWS command line does."""
        return f"s3://{self.bucket}/{self.key}"


def pointer_in(text: str, bucket: str | None) -> Pointer | None:
    """Read a pointer into ``bucket``; None for any other text.

    Whoever can send a message could otherwise have the watcher read, and then delete, any object that it may.
    """
    pointer = None if bucket is None else pointer_of(text)
    return pointer if pointer is not None and pointer.bucket == bucket else None


def pointer_of(text: str) -> Pointer | None:
    """Read a pointer in the form that Amazon's SQS and SNS extended client libraries write.

    https://github.com/awslabs/amazon-sqs-java-extended-client-lib
    """
    if not text.lstrip().startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match value:
        case [str(kind), {"s3BucketName": str(bucket), "s3Key": str(key)}] if kind in _POINTERS and _is_key(key):
            return Pointer(bucket, key)
    return None


def _is_key(key: str) -> bool:
    """Whether S3 could have an object of this name: 1 to 1,024 bytes of UTF-8.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    """
    try:
        return 1 <= len(key.encode()) <= 1024
    except UnicodeEncodeError:
        return False
