"""An SQS queue by the documented rules, in virtual time: visibility, receive counts, stale handles, FIFO groups.

A call has its effect first and is answered later, as over a network: what the effect sets off may be heard of first.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from watchbot.sqs import POLL_SECONDS, Entry, SqsError

WALL_SECONDS = 43_200

ANSWER_SECONDS = 0.02
"""From the effect of a call to its answer."""


@dataclasses.dataclass
class Stored:
    """A message in the queue, with everything that was done to it."""

    message_id: str
    body: str
    group: str | None
    sent_at: float
    visible_at: float
    receives: list[float] = dataclasses.field(default_factory=list)
    handle: str = ""
    returned: list[int] = dataclasses.field(default_factory=list)
    message_attributes: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)


Fault = Callable[[str, int], Exception | None]
"""Takes the name of a call and its number among those of this name; gives what the call is to raise."""


class SimulatedSqs:
    """A queue and its dead-letter queue behind the watcher's protocol; time is the running loop's.

    ``answers`` has the seconds from the effect of a call of some name to its answer, or ``answer_seconds`` draws them;
    ``latency_seconds`` is the way there, before the effect. ``loses`` is a fault after the effect: the call was
    carried out, and its answer is this error. With a ``max_receive_count``, a message received so often moves to the
    dead-letter queue instead of being received once more.
    """

    def __init__(self, *, visibility_seconds: int = 180, fifo: bool = False, latency_seconds: float = 0.0) -> None:
        self.visibility_seconds = visibility_seconds
        self.fifo = fifo
        self.latency_seconds = latency_seconds
        self.heartbeat_latency_seconds = latency_seconds
        self.answers: dict[str, float] = {}
        self.answer_seconds: Callable[[str], float] = lambda name: self.answers.get(name, ANSWER_SECONDS)
        self.max_receive_count: int | None = None
        self.redriven: list[str] = []
        self.stored: dict[str, Stored] = {}
        self.ever: dict[str, Stored] = {}
        self.deleted: dict[str, float] = {}
        self.stale_deletes: list[str] = []
        self.dead_letters: list[Mapping[str, Any]] = []
        self.calls: list[tuple[str, float, int]] = []
        self.fault: Fault = lambda name, number: None
        self.loses: Fault = lambda name, number: None
        self.poll_seconds: float = POLL_SECONDS
        self._numbers = itertools.count(1)
        self._arrived = asyncio.Event()

    def put(
        self, *bodies: str, group: str | None = None, attributes: Mapping[str, Mapping[str, Any]] | None = None
    ) -> list[str]:
        """Put messages into the queue; their ids are m1, m2, …"""
        ids = []
        for body in bodies:
            message_id = f"m{next(self._numbers)}"
            stored = Stored(message_id, body, group, _now(), _now(), message_attributes=attributes or {})
            self.stored[message_id] = stored
            self.ever[message_id] = self.stored[message_id]
            ids.append(message_id)
        self._arrived.set()
        return ids

    def count(self, name: str) -> int:
        """How often this call was made."""
        return sum(1 for called, _, _ in self.calls if called == name)

    async def receive(self, limit: int) -> list[Mapping[str, Any]]:
        number = self.count("receive") + 1
        await self._call("receive", limit)
        until = _now() + self.poll_seconds
        while not (taken := self._take(limit)):
            wake_at = min([until, *(one.visible_at for one in self.stored.values() if one.visible_at > _now())])
            if _now() >= until:
                break
            self._arrived.clear()
            try:
                async with asyncio.timeout_at(wake_at):
                    await self._arrived.wait()
            except TimeoutError:
                pass
        await self._answer("receive", number)
        return taken

    async def delete(self, entries: Sequence[Entry]) -> list[SqsError | None]:
        number = self.count("delete") + 1
        await self._call("delete", len(entries))
        for entry in entries:
            message_id = entry.receipt_handle.partition("/")[0]
            stored = self.stored.get(message_id)
            if stored is None or stored.handle != entry.receipt_handle:
                self.stale_deletes.append(message_id)  # SQS reports success all the same
                continue
            del self.stored[message_id]
            self.deleted[message_id] = _now()
            self._arrived.set()
        errors = [self._entry_fault("delete_entry") for _ in entries]
        await self._answer("delete", number)
        return errors

    async def change_visibility(self, entries: Sequence[Entry], *, heartbeat: bool) -> list[SqsError | None]:
        name = "heartbeat" if heartbeat else "return"
        number = self.count(name) + 1
        await self._call(name, len(entries))
        errors = [self._change(entry, heartbeat=heartbeat) for entry in entries]
        await self._answer(name, number)
        return errors

    async def send(self, queue_url: str, fields: Mapping[str, Any]) -> None:
        number = self.count("send") + 1
        await self._call("send", 1)
        self.dead_letters.append({"QueueUrl": queue_url, **fields})
        await self._answer("send", number)

    async def _call(self, name: str, size: int) -> None:
        assert 1 <= size <= 10, f"{name} of {size} entries"
        self.calls.append((name, _now(), size))
        number = self.count(name)
        latency = self.heartbeat_latency_seconds if name == "heartbeat" else self.latency_seconds
        if latency:
            await asyncio.sleep(latency)
        error = self.fault(name, number)
        if error is not None:
            await asyncio.sleep(self.answer_seconds(name))
            raise error

    async def _answer(self, name: str, number: int) -> None:
        """Let the answer to a call arrive, or get lost."""
        await asyncio.sleep(self.answer_seconds(name))
        error = self.loses(name, number)
        if error is not None:
            raise error

    def _entry_fault(self, name: str) -> SqsError | None:
        error = self.fault(name, 0)
        assert error is None or isinstance(error, SqsError)
        return error

    def _take(self, limit: int) -> list[Mapping[str, Any]]:
        self._redrive()
        blocked = {one.group for one in self.stored.values() if one.visible_at > _now() and self.fifo}
        visible = [one for one in self.stored.values() if one.visible_at <= _now()]
        if self.fifo:
            visible = [one for one in visible if one.group not in blocked]
        return [self._hand_out(one) for one in visible[:limit]]

    def _redrive(self) -> None:
        """Move what was received too often already: only when it would be received again, and without a reason."""
        most = self.max_receive_count
        for one in list(self.stored.values()):
            if most is not None and one.visible_at <= _now() and len(one.receives) >= most:
                del self.stored[one.message_id]
                self.redriven.append(one.message_id)

    def _hand_out(self, stored: Stored) -> Mapping[str, Any]:
        stored.receives.append(_now())
        stored.visible_at = _now() + self.visibility_seconds
        stored.handle = f"{stored.message_id}/{len(stored.receives)}"
        attributes = {
            "ApproximateReceiveCount": str(len(stored.receives)),
            "SentTimestamp": str(int(stored.sent_at * 1000)),
            "ApproximateFirstReceiveTimestamp": str(int(stored.receives[0] * 1000)),
        }
        if stored.group is not None:
            attributes["MessageGroupId"] = stored.group
        return {
            "MessageId": stored.message_id,
            "ReceiptHandle": stored.handle,
            "Body": stored.body,
            "Attributes": attributes,
            "MessageAttributes": stored.message_attributes,
        }

    def _change(self, entry: Entry, *, heartbeat: bool) -> SqsError | None:
        error = self._entry_fault("heartbeat_entry" if heartbeat else "return_entry")
        if error is not None:
            return error
        stored = self.stored.get(entry.receipt_handle.partition("/")[0])
        if stored is None or stored.handle != entry.receipt_handle or stored.visible_at <= _now():
            return SqsError("message does not exist or is not available", code="InvalidParameterValue", refused=True)
        if _now() - stored.receives[-1] + entry.visibility_seconds > WALL_SECONDS:
            return SqsError("total visibility timeout is beyond the limit", code="InvalidParameterValue", refused=True)
        stored.visible_at = _now() + entry.visibility_seconds
        if not heartbeat:
            stored.returned.append(entry.visibility_seconds)
        self._arrived.set()
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
