"""The queue: which messages are visible, in flight and delayed. A message is the number of its job in the workload."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable

from watchbot_cli.simulation.agenda import Agenda
from watchbot_cli.simulation.ledger import Ledger

MOST_IN_FLIGHT = 120_000
"""Of one queue, those that wait for their visibility timeout among them:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html"""


class Queue:
    """An SQS standard queue. Whoever serves it is told of messages that have become visible.

    A message that comes back after ``max_receives`` goes to the dead-letter queue; with None it never does.
    """

    def __init__(self, agenda: Agenda, ledger: Ledger, jobs: int, max_receives: int | None) -> None:
        self._agenda = agenda
        self._ledger = ledger
        self._max_receives = max_receives
        self._receives = array("I", [0]) * jobs
        self.visible: deque[int] = deque()
        self.in_flight = 0
        self.held_back_at: float | None = None
        """When for the first time free workers got no message because as many were in flight as may be."""
        self.serve: Callable[[], None] = lambda: None

    @property
    def is_empty(self) -> bool:
        """Whether no message is left, visible or not."""
        return not self.visible and not self.in_flight

    @property
    def has_room(self) -> bool:
        """Whether one more message may be in flight; asked when one is to be received."""
        if self.in_flight < MOST_IN_FLIGHT:
            return True
        if self.held_back_at is None:
            self.held_back_at = self._agenda.now
        return False

    def receive(self) -> int:
        """Take the oldest visible message; it is in flight until it is deleted or returned."""
        self.in_flight += 1
        message = self.visible.popleft()
        self._receives[message] += 1
        return message

    def receives(self, message: int) -> int:
        """Give how often a message has been received."""
        return self._receives[message]

    def delete(self) -> None:
        """Remove a message in flight."""
        self.in_flight -= 1

    def return_after(self, seconds: float, message: int) -> None:
        """Let a message in flight become visible in so many seconds; until then it counts as in flight."""
        self._agenda.at(self._agenda.now + seconds, self._return, message)

    def _return(self, message: int) -> None:
        self.in_flight -= 1
        if self._max_receives is not None and self._receives[message] >= self._max_receives:
            self._ledger.dead_letter(self._agenda.now)
        else:
            self.visible.append(message)
        self.serve()
