"""Dead letters deleted."""

from __future__ import annotations

from watchbot_cli.consent import ask
from watchbot_cli.dead_letter.letter_queue import LetterQueue
from watchbot_cli.dead_letter.listing import show_list
from watchbot_cli.dead_letter.selection import Selection
from watchbot_cli.dead_letter.walk import Walk
from watchbot_cli.errors import UsageError
from watchbot_cli.output import talk, write_json


def delete(queue: LetterQueue, selection: Selection, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Delete the letters that are meant."""
    if selection.is_everything:
        raise UsageError("which dead letters? name ids or a filter; to delete all of them there is purge")
    if dry_run:
        return show_list(queue, selection, as_json=as_json)
    ask("Delete the dead letters that are meant, for ever?", yes=yes)
    walk = Walk(queue, selection, talk())
    walk.run("deleted", lambda borrowing, letters: borrowing.delete(letters))
    _tell(walk.done, as_json=as_json)
    return 0


def purge(queue: LetterQueue, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Delete everything."""
    count = queue.count()
    if dry_run:
        talk().print(f"about {count} dead letters would be deleted")
        return 0
    ask(f"Delete all dead letters, about {count}, for ever?", yes=yes)
    queue.purge()
    _tell(count, as_json=as_json)
    return 0


def _tell(count: int, *, as_json: bool) -> None:
    if as_json:
        write_json({"deleted": count})
    else:
        talk().print(f"{count} dead letters deleted")
