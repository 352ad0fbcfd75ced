"""What SQS says of a queue."""

from __future__ import annotations

from typing import Any

from watchbot_cli.status.snapshot import Depth

_NAMES = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html"""


def read_depth(sqs: Any, url: str) -> Depth:
    """Count its messages."""
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_NAMES))["Attributes"]
    return Depth(*(int(attributes[name]) for name in _NAMES))
