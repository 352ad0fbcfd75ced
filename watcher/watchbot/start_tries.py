"""The tries that a message has whose start fails through its own fault."""

from __future__ import annotations

import dataclasses

from watchbot.contract import Outcome
from watchbot.message import Message
from watchbot.result import Result, StartFault

_DELAYS_SECONDS = (10, 60, 300, 900)
"""Between five tries: 21 minutes, in which a key or a right that was changed by mistake may be put right."""

_PAUSED_DELAY_SECONDS = 3600
"""In a pause: a message that is not at fault should not use its receives up while the service is being repaired."""

_REMEMBERED = 5000


@dataclasses.dataclass(slots=True)
class _Tries:
    count: int
    starts_before: int


class StartTries:
    """Sends such a message back to the queue after each try, where it holds no slot, and dead-letters it after five.

    Where the fault may as well be the service's, the fifth try is the last only if other messages have started since
    the first; else the message goes on until its last receive. Tries are counted in this watcher: the receive count
    counts deployments and interruptions as well.
    """

    def __init__(self, *, max_receive_count: int, can_dead_letter: bool) -> None:
        self._max_receive_count = max_receive_count
        self._can_dead_letter = can_dead_letter
        self._tries: dict[str, _Tries] = {}
        self._starts = 0

    def started(self, message_id: str) -> None:
        """Count a start that succeeded, and forget the message's tries."""
        self._starts += 1
        if self._tries:
            self._tries.pop(message_id, None)

    def after(self, message: Message, failure: Result, *, paused: bool = False) -> Result:
        """Return the result of a message whose start has failed once more; ``paused`` sends it back for the longest."""
        tries = self._tries.setdefault(message.message_id, _Tries(0, self._starts))
        if len(self._tries) > _REMEMBERED:
            del self._tries[next(iter(self._tries))]
        tries.count += 1
        is_proven = failure.fault is StartFault.MESSAGE or self._starts > tries.starts_before
        is_last_try = tries.count > len(_DELAYS_SECONDS) and is_proven
        is_last_receive = self._can_dead_letter and message.receive_count >= self._max_receive_count
        if not is_last_try and not is_last_receive:
            delay = _DELAYS_SECONDS[min(tries.count, len(_DELAYS_SECONDS)) - 1]
            delay = _PAUSED_DELAY_SECONDS if paused else delay
            return dataclasses.replace(failure, delay_seconds=delay)
        if not self._can_dead_letter:
            return dataclasses.replace(failure, outcome=Outcome.FAILED)
        del self._tries[message.message_id]
        reason = f"it cannot be started, tried {tries.count} times: {failure.reason or 'unknown'}"
        return dataclasses.replace(failure, outcome=Outcome.DEAD_LETTERED, reason=reason)
