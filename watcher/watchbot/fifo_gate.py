"""FIFO order: of each message group one message at a time, in the order received."""

from __future__ import annotations

from collections import deque

from watchbot.lease import Lease


class FifoGate:
    """Lets the first message of a group pass and holds the others behind it.

    SQS hands out several messages of a group at once, in order, and none further while any of them is in flight. The
    ones that wait hold their leases but no slot. On a standard queue everything passes, also messages with a group.
    """

    def __init__(self, *, fifo: bool) -> None:
        self._fifo = fifo
        self._groups: dict[str, deque[Lease]] = {}

    def enter(self, lease: Lease) -> bool:
        """Whether this message may start now; if not, it waits for :meth:`leave`."""
        group = lease.message.group_id
        if not self._fifo or group is None:
            return True
        if group in self._groups:
            self._groups[group].append(lease)
            return False
        self._groups[group] = deque()
        return True

    def leave(self, lease: Lease, *, removed: bool) -> tuple[Lease | None, list[Lease]]:
        """Note that this message is settled; get who is next, and who must go back to the queue unstarted.

        After a message that was not removed, those received behind it go back in order, or they would overtake it. It
        may have been received again by then: it is next itself, with what came behind it.
        """
        group = lease.message.group_id
        if not self._fifo or group is None:
            return None, []
        waiting, back = self._groups[group], []
        while not removed and waiting and waiting[0].message.message_id != lease.message.message_id:
            back.append(waiting.popleft())
        if waiting and not waiting[0].lost:
            return waiting.popleft(), back
        # SQS has taken a lost one and those behind it back already.
        del self._groups[group]
        return None, [*back, *waiting]
