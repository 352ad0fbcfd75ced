"""A received SQS message, as the rest of the watcher sees it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """One receive of one SQS message; ``received_at`` is the event loop's time when the answer came in.

    SQS counts from its own receive, a moment earlier. Not from when the poll began: a long poll may wait longer than
    a short lease lasts.
    """

    message_id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, str]
    message_attributes: Mapping[str, Mapping[str, Any]]
    received_at: float

    @classmethod
    def from_sqs(cls, received: Mapping[str, Any], received_at: float) -> Message:
        """Read one entry of ReceiveMessage's answer."""
        return cls(
            message_id=received["MessageId"],
            receipt_handle=received["ReceiptHandle"],
            body=received["Body"],
            attributes=received.get("Attributes", {}),
            message_attributes=received.get("MessageAttributes", {}),
            received_at=received_at,
        )

    @property
    def receive_count(self) -> int:
        """How often SQS has handed the message out, this time included; 1 on the first receive."""
        return max(1, int(self.attributes.get("ApproximateReceiveCount", "1")))

    @property
    def group_id(self) -> str | None:
        """The FIFO message group; None where the sender gave none."""
        return self.attributes.get("MessageGroupId")

    @property
    def sent_at(self) -> float | None:
        """When it was sent, in seconds since 1970, as SQS's clock says."""
        sent = self.attributes.get("SentTimestamp")
        return None if sent is None else int(sent) / 1000
