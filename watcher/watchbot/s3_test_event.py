"""What S3 sends to find out whether it may: a message that nobody sent, and no job."""

from __future__ import annotations

import json

_KEYS = {"Service", "Event", "Time", "Bucket", "RequestId", "HostId"}
_EVENT = "s3:TestEvent"


def is_s3_test_event(text: str) -> bool:
    """Whether this is the test that S3 sends when notifications of a bucket are set up, by all of its keys.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-enable-disable-notification-intro.html
    """
    if _EVENT not in text or not text.lstrip().startswith("{"):
        return False
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.keys() == _KEYS and value["Event"] == _EVENT
