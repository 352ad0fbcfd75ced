"""What to tell the queue about a message whose job has a result: a decision without side effects."""

from __future__ import annotations

import dataclasses
import random

from watchbot.backoff import Backoff
from watchbot.contract import Outcome, Settings
from watchbot.result import Result


@dataclasses.dataclass(frozen=True, slots=True)
class Delete:
    """The message is done with."""


@dataclasses.dataclass(frozen=True, slots=True)
class Return:
    """The message becomes visible again after this many seconds."""

    delay_seconds: int


@dataclasses.dataclass(frozen=True, slots=True)
class DeadLetter:
    """The message moves to the dead-letter queue at once, with the reason, and noted as ``verified`` if it was."""

    reason: str
    verified: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class LetGo:
    """The lease is not ours any more: nothing we could say would be about our receive of the message."""


Settlement = Delete | Return | DeadLetter | LetGo


def removes(settlement: Settlement) -> bool:
    """Whether the message leaves the queue, so that the next one of its group may start."""
    return isinstance(settlement, Delete | DeadLetter)


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """When failed messages come back, and when they have failed for the last time."""

    backoff: Backoff
    max_receive_count: int
    can_dead_letter: bool

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """Give the policy that the settings describe."""
        return cls(
            Backoff(settings.backoff_base, settings.backoff_cap_seconds, settings.backoff_jitter),
            max_receive_count=settings.max_receive_count,
            can_dead_letter=settings.dead_letter_queue_url is not None,
        )

    def decide(self, result: Result, receive_count: int, chance: random.Random) -> Settlement:
        """Choose the settlement; a failure on the last allowed receive is dead-lettered now, with its reason.

        SQS itself would move that message only on the receive after next, without saying why.
        """
        match result.outcome:
            case Outcome.SUCCEEDED | Outcome.REJECTED:
                return Delete()
            case Outcome.DEAD_LETTERED:
                return DeadLetter(result.reason or "dead-lettered by its worker", result.verified)
            case Outcome.FAILED | Outcome.TIMED_OUT if self.can_dead_letter and receive_count >= self.max_receive_count:
                reason = result.reason or result.outcome.value
                return DeadLetter(f"{reason} on receive {receive_count} of {self.max_receive_count}", result.verified)
            case Outcome.INTERRUPTED:
                return Return(result.delay_seconds or 0)
            case _ if result.delay_seconds is not None:
                return Return(result.delay_seconds)
            case _:
                return Return(self.backoff.seconds(receive_count, chance))
