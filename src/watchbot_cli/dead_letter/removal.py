"""Dead letters deleted."""

from __future__ import annotations

from watchbot_cli.consent import ask
from watchbot_cli.dead_letter.account import Account
from watchbot_cli.dead_letter.agreement import agreed
from watchbot_cli.dead_letter.letter_queue import LetterQueue
from watchbot_cli.dead_letter.listing import show_list
from watchbot_cli.dead_letter.selection import Selection
from watchbot_cli.dead_letter.walk import Walk
from watchbot_cli.errors import UsageError
from watchbot_cli.output import talk


def delete(queue: LetterQueue, selection: Selection, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Delete the letters that are meant."""
    if selection.is_everything:
        raise UsageError(
            "which dead letters? name ids, a filter or --from a file; to delete all of them there is purge"
        )
    if dry_run:
        return show_list(queue, selection, as_json=as_json)
    meant = agreed(queue, selection, "Delete", ", permanently", yes=yes)
    account = meant.nothing
    if account is None:
        account = Walk(queue, meant.selection, talk()).run(lambda borrowing, letters: borrowing.delete(letters))
        account.missing += meant.missing
    _tell(account, queue, as_json=as_json)
    return account.exit_code


def purge(queue: LetterQueue, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Delete everything."""
    count = queue.count()
    if dry_run:
        if as_json:
            Account(count, approximate=True).write("would_be_deleted")
        else:
            talk().print(f"about {count} dead letters would be deleted")
        return 0
    ask(f"Delete all dead letters, about {count}, of {queue.place}, permanently?", yes=yes)
    queue.purge()
    _tell(Account(count, approximate=True), queue, as_json=as_json)
    return 0


def _tell(account: Account, queue: LetterQueue, *, as_json: bool) -> None:
    if as_json:
        account.write("deleted")
    console = talk()
    if not as_json:
        console.print(account.told(" deleted"))
    if account.doubtful:
        console.print(f"{account.doubtful} more may be deleted: no answer came")
    account.tell_of_hidden(console, fifo=queue.fifo)
    account.raise_what_ended()
