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
    """Read a pointer in the form that Amazon's SQS and SNS extended client libraries write.

    Only one into ``bucket`` is a pointer: whoever can send a message could otherwise have the watcher read, and then
    delete, any object that it may. https://github.com/awslabs/amazon-sqs-java-extended-client-lib
    """
    if bucket is None or not text.lstrip().startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match value:
        case [str(kind), {"s3BucketName": str(named), "s3Key": str(key)}] if kind in _POINTERS and named == bucket:
            return Pointer(named, key) if _is_key(key) else None
    return None


def _is_key(key: str) -> bool:
    """Whether S3 could have an object of this name: 1 to 1,024 bytes of UTF-8.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    """
    try:
        return 1 <= len(key.encode()) <= 1024
    except UnicodeEncodeError:
        return False
