"""What became of the dead letters that a command was about, and how that is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from rich.console import Console

from watchbot_cli.errors import CommandError
from watchbot_cli.output import write_json

_SHOWN_IDS = 10


@dataclasses.dataclass(slots=True)
class Account:
    """Counts of letters: ``done`` as was asked for, ``doubtful`` where a call failed and may have been carried out.

    ``looked_at`` is how many were seen at all, ``not_looked_at`` about how many were there and out of reach,
    ``missing`` are ids that none of the letters has, and ``ended`` is what was the matter: an error that is raised once
    the rest was told.
    """

    done: int = 0
    looked_at: int = 0
    doubtful: int = 0
    not_looked_at: int = 0
    missing: tuple[str, ...] = ()
    ended: Exception | None = None
    approximate: bool = False
    """Whether ``done`` is SQS's own count, which is never exact."""

    def told(self, what: str) -> str:
        """Say of how many it was done, or that there were letters and none of them was meant."""
        if self.looked_at and not (self.done or self.doubtful or self.ended):
            return f"0 of {self.looked_at} dead letters match"
        return f"{'about ' if self.approximate else ''}{self.done} dead letters{what}"

    @property
    def exit_code(self) -> int:
        """0 only when every dead letter was looked at."""
        return 1 if self.not_looked_at else 0

    def write(self, what: str) -> None:
        """Write the counts as JSON; ``what`` is what was done with the letters."""
        missing = {"missing": list(self.missing)} if self.missing else {}
        approximate = {"approximate": True} if self.approximate else {}
        counts = {what: self.done, "doubtful": self.doubtful, "not_looked_at": self.not_looked_at}
        write_json({**counts, **missing, **approximate})

    def tell_of_hidden(self, console: Console, *, fifo: bool) -> None:
        """Say how many were out of reach, and why."""
        if self.not_looked_at:
            console.print(f"{self.hidden(fifo=fifo)}, and were not looked at")

    def hidden(self, *, fifo: bool) -> str:
        """Say of those that were out of reach how many they are, and where.

        SQS gives the first ten of a FIFO queue's group, and no more until they are gone:
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
        """
        others = "are being looked at by somebody else, or come back within a minute"
        why = f"wait behind others of their group, {others}" if fifo else others
        return f"about {self.not_looked_at} more {why}"

    def raise_what_ended(self) -> None:
        """Raise what was the matter, or that an id was asked for which no letter has."""
        if self.ended is not None:
            raise self.ended
        if self.missing:
            raise CommandError(f"there is no dead letter {_listed(self.missing)}, or it could not be looked at")


def _listed(ids: Sequence[str]) -> str:
    more = len(ids) - _SHOWN_IDS
    return ", ".join(ids[:_SHOWN_IDS]) + (f" and {more} more" if more > 0 else "")
