"""The memory that messages take: a bound for what is held and what is polled for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from watchbot.message import Message

WORST_BYTES = 9 << 20
"""The memory that a message of 1 MiB may take: on the wire, as the text of the answer, and as its own, with four bytes
for each character if one of them is an emoji."""

_LEAST_BYTES = 1 << 12
_SMALL_BYTES = 1 << 16
_FORGETTING = 8
"""By how much less is expected of the next message, with every answer that brings only smaller ones."""

_SHARE = 4
_LIMIT_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class MessageMemory:
    """Counts the bytes of the messages that are held, and of those that open polls may bring.

    A poll may bring as many messages as there is memory for, each as large as the largest of late. Until the first
    answer that is the largest that SQS takes. One message is always polled for when none is held. ``changed`` is called
    when there is memory again.
    """

    def __init__(self, limit_bytes: int, changed: Callable[[], None]) -> None:
        self._limit_bytes = limit_bytes
        self._changed = changed
        self._expected_bytes = WORST_BYTES
        self._held: dict[str, int] = {}
        self._taken_bytes = 0

    def room(self) -> int:
        """How many messages a poll may bring now."""
        if not self._taken_bytes:
            return max(1, self._limit_bytes // self._expected_bytes)
        return max(0, (self._limit_bytes - self._taken_bytes) // self._expected_bytes)

    def take(self, count: int) -> int:
        """Take the memory of so many messages for a poll; returns the bytes."""
        taken = count * self._expected_bytes
        self._taken_bytes += taken
        return taken

    def answered(self, taken_bytes: int, messages: Sequence[Message]) -> None:
        """Give back what was taken for a poll, and learn from what it has brought."""
        self._give_back(taken_bytes)
        if messages:
            largest = max(map(_bytes_of, messages))
            self._expected_bytes = max(largest, self._expected_bytes // _FORGETTING, _LEAST_BYTES)

    def hold(self, message: Message) -> None:
        """Count a message from now on."""
        self.release(message.message_id)
        size = _bytes_of(message)
        self._held[message.message_id] = size
        self._taken_bytes += size

    def release(self, message_id: str) -> None:
        """Count a message no more; fine when it is not counted."""
        size = self._held.pop(message_id, 0)
        if size:
            self._give_back(size)

    def _give_back(self, size: int) -> None:
        was_full = self._limit_bytes - self._taken_bytes < self._expected_bytes
        self._taken_bytes -= size
        if was_full:
            self._changed()


def _bytes_of(message: Message) -> int:
    """Count a large body twice: an envelope is opened, or the body is written somewhere."""
    size = message.content_bytes
    return size if size <= _SMALL_BYTES else 2 * size


def share_of_memory(most_bytes: int | None = None, files: Sequence[str] = _LIMIT_FILES) -> int:
    """Return a quarter of the memory that this container may use, which cgroups say; at most ``most_bytes``."""
    limits = [1 << 40]
    for file in files:
        with contextlib.suppress(OSError, ValueError):
            limits.append(int(Path(file).read_text()))  # "max" where there is no limit
    share = min(limits) // _SHARE
    return share if most_bytes is None else min(share, most_bytes)
