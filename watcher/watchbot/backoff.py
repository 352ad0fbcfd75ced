"""How long a returned message stays away."""

from __future__ import annotations

import dataclasses
import random


@dataclasses.dataclass(frozen=True, slots=True)
class Backoff:
    """Exactly ``base ** receive_count`` seconds, at most ``cap_seconds``.

    ``jitter`` is the share of that time, 0 to 1, that chance may take away. Messages in back-off are in flight to
    SQS, which allows 120,000 of them a queue: a long cap holds many there.
    """

    base: float = 2
    cap_seconds: int = 900
    jitter: float = 0

    def seconds(self, receive_count: int, chance: random.Random) -> int:
        """Seconds until the message that was received this often is visible again."""
        try:
            full = min(self.base**receive_count, float(self.cap_seconds))
        except OverflowError:
            full = float(self.cap_seconds)
        return round(full * (1 - self.jitter * chance.random()) if self.jitter else full)
