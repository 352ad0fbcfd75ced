"""A job's metadata as attributes of an item: each value is JSON, under its key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from watchbot.progress.errors import InvalidValueError

METADATA_LIMIT = 65_536
"""Bytes of a job's metadata as JSON.

The reduce message holds all of it, and so does every map message beside the part's own fields; a message of SNS holds
262,144 bytes. https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
"""

METADATA_KEYS = 100
"""Keys of one call's metadata: an update expression holds 4 KB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

_PREFIX = "m."
"""Before a key of the metadata in the name of its attribute, so that it is never one of ours."""


def as_texts(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Give the attributes of these values; raises :class:`InvalidValueError` for what cannot be kept in one call."""
    if not isinstance(metadata, Mapping) or not all(isinstance(key, str) for key in metadata):
        raise InvalidValueError("metadata", metadata, "a JSON object")
    try:
        texts = {_PREFIX + key: json.dumps(value, allow_nan=False) for key, value in metadata.items()}
        "".join(texts).encode()  # as DynamoDB takes names
    except (TypeError, ValueError):
        raise InvalidValueError("metadata", metadata, "what JSON can hold") from None
    if len(texts) > METADATA_KEYS:
        raise InvalidValueError("metadata", metadata, f"at most {METADATA_KEYS} keys at a time")
    return texts


def check_size(item: Mapping[str, Any]) -> None:
    """Raise :class:`InvalidValueError` when the metadata in an item is more than the messages of a job may hold."""
    texts = _texts(item)
    # As JSON puts them: {"key": value, "key": value}
    size = sum(len(json.dumps(key)) + len(text) + 4 for key, text in texts.items())
    if size > METADATA_LIMIT:
        allowed = f"at most {METADATA_LIMIT} bytes as JSON, with what the job has already"
        raise InvalidValueError("metadata", f"{size} bytes", allowed)


def metadata_of(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the metadata in an item, None if there is none."""
    return {key: json.loads(text) for key, text in _texts(item).items()} or None


def _texts(item: Mapping[str, Any]) -> dict[str, str]:
    return {name.removeprefix(_PREFIX): text for name, text in item.items() if name.startswith(_PREFIX)}
