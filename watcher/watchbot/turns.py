"""When the next notification may go, so that all watchers together send no more than a mailbox is given."""

from __future__ import annotations

import asyncio
import math
import random

from watchbot.wait import passed

_SECONDS_FOR_EACH_WATCHER = 0.4
_SHORTEST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0


class Turns:
    """Spaces what one of ``watchers`` sends: up to 150 of them together send 2.5 a second, however many jobs fail.

    SNS delivers ten mails a second to a subscription, and deactivates it, for alarms as well, when more are sent:
    https://repost.aws/knowledge-center/sns-email-subscription-disabled. The first of a watcher goes after a time of
    chance, because what makes one job fail makes those of other watchers fail, too.
    """

    def __init__(self, watchers: int, chance: random.Random) -> None:
        wanted = max(_SHORTEST_SECONDS, _SECONDS_FOR_EACH_WATCHER * watchers)
        self._gap_seconds = min(wanted, _LONGEST_SECONDS)
        self._chance = chance
        self._free_at = 0.0
        self._gone_at = -math.inf

    async def mine(self, hurried: asyncio.Event) -> bool:
        """Wait for a turn; once ``hurried`` is set, whether there is one now."""
        time = asyncio.get_running_loop().time
        turn = max(time() + self._gap_seconds * self._chance.random(), self._free_at)
        self._free_at = turn + self._gap_seconds
        waited = await passed(turn - time(), unless=hurried)
        if not waited and time() - self._gone_at < self._gap_seconds:
            return False
        self._gone_at = time()
        return True
