"""Headers of a webhook's requests, which become attributes of messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from watchbot_cdk.problems import is_list_of

_HEADER = re.compile(r"[A-Za-z0-9_-]{1,200}")


def attribute_of(header: str) -> str:
    """Give the attribute's name; whatever the case in which a caller writes a header, it is one."""
    return header.lower()


def header_kinds(argument: str, headers: object) -> Iterable[str]:
    """Say that these are no list of names."""
    if not is_list_of(str, headers):
        yield f"{argument} must be a list of names, got {headers!r}"


def header_problems(argument: str, headers: Sequence[str]) -> Iterable[str]:
    """Say which names a header, or an attribute of a message, cannot have.

    Tokens are refused: the names stand in a template, where a value would have to be escaped.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    for header in headers:
        if not _HEADER.fullmatch(header):
            yield f"{argument} must be letters, digits, - and _, got {header!r}"
