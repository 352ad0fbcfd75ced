"""Asking about some of the dead letters: how many, of how many, and where, before any of them is touched."""

from __future__ import annotations

import dataclasses

from watchbot_cli.consent import ask, check_askable
from watchbot_cli.dead_letter.account import Account
from watchbot_cli.dead_letter.borrowing import Borrowing
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import Handled, LetterQueue
from watchbot_cli.dead_letter.selection import Filters, Selection
from watchbot_cli.dead_letter.walk import Walk
from watchbot_cli.output import talk


@dataclasses.dataclass(frozen=True, slots=True)
class Agreed:
    """What the person agreed to: these letters. ``nothing`` is the account of a look that found none to ask about."""

    selection: Selection
    missing: tuple[str, ...] = ()
    nothing: Account | None = None


def agreed(queue: LetterQueue, selection: Selection, act: str, end: str, *, yes: bool) -> Agreed:
    """Ask ``act`` of the letters that are meant, which are looked for first and counted; with ``yes`` neither.

    What is agreed to are exactly the letters that were counted. Only when others were out of reach, and the question
    says "at least", are those meant, too. Raises :class:`CommandError` when the person says no.
    """
    if yes:
        return Agreed(selection)
    check_askable()
    if selection.is_everything:
        ask(f"{act} all dead letters, about {queue.count()}, of {queue.place}{end}?", yes=False)
        return Agreed(selection)
    letter_ids: set[str] = set()

    def note(_: Borrowing, letters: list[Letter]) -> Handled:
        letter_ids.update(letter.letter_id for letter in letters)
        return Handled(letters)

    account = Walk(queue, selection, talk()).run(note)
    if account.ended is not None:
        raise account.ended
    if not account.done:
        return Agreed(selection, nothing=account)
    least = "at least " if account.not_looked_at else ""
    total = max(queue.count(), account.looked_at)
    ask(f"{act} {least}{account.done} of about {total} dead letters of {queue.place}{end}?", yes=False)
    if account.not_looked_at:
        return Agreed(selection)
    return Agreed(Selection(Filters(letter_ids=frozenset(letter_ids))), account.missing)
