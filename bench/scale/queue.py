"""An SQS standard queue by the documented rules: visibility, receive counts, stale handles, batches, walls."""

from __future__ import annotations

import dataclasses
import hashlib
import heapq
import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.scale.refusal import Refusal

_BATCH = 10
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html."""

_WALL_SECONDS = 43_200
"""A message is invisible for at most 12 hours after its receive; the same page."""

IN_FLIGHT_LIMIT = 120_000
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html."""

_LONGEST_POLL_SECONDS = 20

Deleted = Callable[[str], None]
Request = Mapping[str, Any]


@dataclasses.dataclass(slots=True)
class _Message:
    message_id: str
    body: str
    sent_at: float
    visible_at: float
    receives: int = 0
    first_received_at: float = 0.0
    received_at: float = 0.0

    @property
    def handle(self) -> str:
        return f"{self.message_id}/{self.receives}"


class Queue:
    """One queue. It tells time by ``now`` and has ``deleted`` called with the id of every message that goes."""

    def __init__(self, now: Callable[[], float], deleted: Deleted, in_flight_limit: int = IN_FLIGHT_LIMIT) -> None:
        self._now = now
        self._deleted = deleted
        self._in_flight_limit = in_flight_limit
        self._messages: dict[str, _Message] = {}
        self._visible: deque[str] = deque()
        self._later: list[tuple[float, str]] = []

    def put(self, count: int, receives: int = 0) -> list[str]:
        """Put messages in, received so often already; gives their ids."""
        now, new = self._now(), []
        for number in range(count):
            body = json.dumps({"number": number, "text": "x" * 200})
            new.append(_Message(str(uuid.uuid4()), body, now, now, receives, now, now))
        self._messages |= {message.message_id: message for message in new}
        self._visible.extend(message.message_id for message in new)
        return [message.message_id for message in new]

    @property
    def left(self) -> int:
        """How many messages there are, visible or not."""
        return len(self._messages)

    @property
    def in_flight(self) -> int:
        """How many are invisible."""
        self._show()
        return len(self._messages) - len(self._visible)

    @property
    def changes_at(self) -> float | None:
        """When the next message may become visible; None when none is in flight."""
        return self._later[0][0] if self._later else None

    def receive(self, request: Request) -> bytes | None:
        """Hand out messages; None when there are none that may be. Raises :class:`Refusal`."""
        limit = request.get("MaxNumberOfMessages", 1)
        if not 1 <= limit <= _BATCH:
            raise _invalid(f"Value {limit} for parameter MaxNumberOfMessages is invalid. Must be between 1 and 10.")
        if not 0 <= wait_seconds(request) <= _LONGEST_POLL_SECONDS:
            raise _invalid("Value for parameter WaitTimeSeconds is invalid. Must be between 0 and 20.")
        room = self._in_flight_limit - self.in_flight
        if room <= 0 and not wait_seconds(request):
            raise Refusal("OverLimit", "Too many messages in flight", query_code="OverLimit")
        count = min(limit, room, len(self._visible))
        seconds = _visibility(request)
        taken = [self._hand_out(self._messages[self._visible.popleft()], seconds) for _ in range(count)]
        return json.dumps({"Messages": taken}).encode() if taken else None

    def delete_batch(self, request: Request) -> bytes:
        """Delete messages; a stale handle deletes nothing, and is answered with success."""

        def delete(entry: Request) -> None:
            message = self._of(entry)
            if message is not None and message.handle == entry["ReceiptHandle"]:
                self._forget(message)

        return _each(request, delete)

    def change_visibility_batch(self, request: Request) -> bytes:
        """Set visibility timeouts."""
        self._show()
        return _each(request, self._change)

    def _change(self, entry: Request) -> None:
        message, now, seconds = self._of(entry), self._now(), _visibility(entry)
        if message is None or message.handle != entry["ReceiptHandle"] or message.visible_at <= now:
            raise _invalid("Message does not exist or is not available for visibility timeout change.")
        if now - message.received_at + seconds > _WALL_SECONDS:
            raise _invalid(f"Total VisibilityTimeout for the message is beyond the limit [{_WALL_SECONDS} seconds]")
        self._hide(message, seconds)

    def _hand_out(self, message: _Message, seconds: int) -> dict[str, Any]:
        now = self._now()
        message.receives += 1
        message.received_at = now
        message.first_received_at = now if message.receives == 1 else message.first_received_at
        self._hide(message, seconds)
        return {
            "MessageId": message.message_id,
            "ReceiptHandle": message.handle,
            "Body": message.body,
            "MD5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
            "Attributes": {
                "SenderId": "AIDASCALE",
                "ApproximateReceiveCount": str(message.receives),
                "SentTimestamp": str(int(message.sent_at * 1000)),
                "ApproximateFirstReceiveTimestamp": str(int(message.first_received_at * 1000)),
            },
        }

    def _hide(self, message: _Message, seconds: int) -> None:
        message.visible_at = self._now() + seconds
        heapq.heappush(self._later, (message.visible_at, message.message_id))

    def _show(self) -> None:
        while self._later and self._later[0][0] <= self._now():
            at, message_id = heapq.heappop(self._later)
            message = self._messages.get(message_id)
            # What was extended meanwhile has another entry, further on.
            if message is not None and message.visible_at == at:
                self._visible.appendleft(message_id)  # SQS promises no order; so none waits behind a backlog

    def _of(self, entry: Request) -> _Message | None:
        return self._messages.get(str(entry["ReceiptHandle"]).partition("/")[0])

    def _forget(self, message: _Message) -> None:
        if message.visible_at <= self._now():
            self._show()
            self._visible.remove(message.message_id)
        del self._messages[message.message_id]
        self._deleted(message.message_id)


def wait_seconds(request: Request) -> int:
    """Give how long a receive may wait."""
    return int(request.get("WaitTimeSeconds", 0))


def _visibility(fields: Request) -> int:
    seconds = int(fields.get("VisibilityTimeout", 30))
    if not 0 <= seconds <= _WALL_SECONDS:
        raise _invalid(f"Value {seconds} for parameter VisibilityTimeout is invalid. Must be between 0 and 43200.")
    return seconds


def _each(request: Request, do: Callable[[Request], None]) -> bytes:
    done, failed = [], []
    for entry in _entries(request):
        try:
            do(entry)
        except Refusal as refusal:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": refusal.query_code, "Message": str(refusal)})
        else:
            done.append({"Id": entry["Id"]})
    return json.dumps({"Successful": done, "Failed": failed}).encode()


def _entries(request: Request) -> Sequence[Request]:
    """Read a batch.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html names its errors.
    """
    entries: Sequence[Request] = request.get("Entries", [])
    if not entries:
        raise _batch("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > _BATCH:
        raise _batch(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {_BATCH}. You have sent {len(entries)}.",
        )
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise _batch("BatchEntryIdsNotDistinct", "Ids of a batch must be distinct.")
    return entries


def _batch(code: str, message: str) -> Refusal:
    return Refusal(code, message, query_code=f"AWS.SimpleQueueService.{code}")


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidParameterValueException", message, query_code="InvalidParameterValue")
