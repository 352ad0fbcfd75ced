"""Dead letters back to the work queue."""

from __future__ import annotations

from rich.console import Console

from watchbot_cli.dead_letter.account import Account
from watchbot_cli.dead_letter.agreement import agreed
from watchbot_cli.dead_letter.borrowing import Borrowing
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import Handled, LetterQueue
from watchbot_cli.dead_letter.listing import show_list
from watchbot_cli.dead_letter.move_task import MoveTask, NoMoveTasksError
from watchbot_cli.dead_letter.selection import Selection
from watchbot_cli.dead_letter.walk import Walk
from watchbot_cli.output import talk


def redrive(queue: LetterQueue, selection: Selection, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Return the letters that are meant; all of them are moved by SQS itself, where it can."""
    if dry_run:
        return show_list(queue, selection, as_json=as_json)
    queue.check_takes_back()
    meant = agreed(queue, selection, "Return", " to the work queue", yes=yes)
    console = talk()
    account = meant.nothing
    if account is None:
        account = _return(queue, meant.selection, console)
        account.missing += meant.missing
    if as_json:
        account.write("returned")
    else:
        console.print(account.told(" returned to the work queue"))
    if account.doubtful:
        console.print(f"{account.doubtful} more may be in both queues: no answer came")
    account.tell_of_hidden(console, fifo=queue.fifo)
    account.raise_what_ended()
    return account.exit_code


def return_some(queue: LetterQueue, borrowing: Borrowing, letters: list[Letter]) -> Handled:
    """Send, then delete: whatever ends us in between, a letter is at worst in both queues, and never in neither."""
    sent = queue.send(letters)
    deleted = borrowing.delete(sent.done)
    in_both = [letter for letter in sent.done if letter not in deleted.done]
    return Handled(deleted.done, [*sent.doubtful, *in_both], sent.problem or deleted.problem)


def _return(queue: LetterQueue, selection: Selection, console: Console) -> Account:
    if selection.is_everything:
        try:
            return MoveTask(queue, console).run()
        except NoMoveTasksError:
            console.print("this endpoint moves no messages by itself: they are moved from here")
    return Walk(queue, selection, console).run(lambda borrowing, letters: return_some(queue, borrowing, letters))
