"""ReceiveMessage's answer, taken apart before botocore reads all of it."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any


def take_messages(
    response_dict: MutableMapping[str, Any], customized_response_dict: MutableMapping[str, Any], **_: object
) -> None:
    """Take the messages out of what botocore hands us before it parses an answer.

    botocore refuses an answer as a whole when one value in it has the wrong type, and ten messages would wait out their
    leases for one that is malformed. Here they stay as they came, and are read one by one. Other answers are left to
    botocore; so is every answer with a botocore too old to ask.
    """
    if response_dict.get("status_code") != 200:
        return
    try:
        messages = json.loads(response_dict["body"])["Messages"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    if isinstance(messages, list):
        response_dict["body"] = b"{}"
        customized_response_dict["Messages"] = messages
