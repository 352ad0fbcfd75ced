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
        """Say that this message is settled; get who is next, and who must go back to the queue unstarted.

        After a message that was not removed nobody is next: the rest of its group goes back in order, or it would
        overtake the one that is to be tried again.
        """
        group = lease.message.group_id
        if not self._fifo or group is None:
            return None, []
        waiting = self._groups[group]
        if removed:
            while waiting:
                following = waiting.popleft()
                if not following.lost:
                    return following, []
                # SQS has taken it and those behind it back already.
                rest = list(waiting)
                del self._groups[group]
                return None, [following, *rest]
        del self._groups[group]
        return None, list(waiting)
