"""A person and the dead letters of a service, one question at a time."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from watchbot.contract import Description
from watchbot_cli.dead_letter.borrowing import Borrowing
from watchbot_cli.dead_letter.finding import show_logs
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import Handled, LetterQueue
from watchbot_cli.dead_letter.listing import show_list, show_one
from watchbot_cli.dead_letter.removal import purge
from watchbot_cli.dead_letter.returning import redrive, return_some
from watchbot_cli.dead_letter.selection import Filters, Selection
from watchbot_cli.errors import UsageError
from watchbot_cli.output import talk
from watchbot_cli.refusal import refusal_of
from watchbot_cli.session import Session
from watchbot_cli.stack import Found
from watchbot_cli.terminal_text import one_line

_WITH_ALL = {"t": "triage one by one", "p": "print all", "r": "return all", "g": "purge", "q": "quit"}
_WITH_ONE = {"v": "view logs", "r": "return to the queue", "l": "leave", "d": "delete", "q": "quit"}
_ALSO = {"s": "q"}
"""What is understood as well: quitting was once called stopping."""


def triage(session: Session, found: Found) -> int:
    """Ask what to do with the dead letters, and do it."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: use dead-letter list, show, redrive, delete, purge or export")
    queue = LetterQueue(session, found)
    everything = Selection(Filters())
    count = queue.count()
    talk().print(f"{found.place} has about {count} dead letters")
    match _choose(_WITH_ALL):
        case "t":
            _Triage(session, found.service, queue, count).run()
        case "p":
            show_list(queue, everything, as_json=True)
        case "r":
            redrive(queue, everything, dry_run=False, yes=False, as_json=False)
        case "g":
            purge(queue, dry_run=False, yes=False, as_json=False)
    return 0


class _Triage:
    """Shows a letter at a time; those that are left are out of sight until the end, or they would come again."""

    def __init__(self, session: Session, service: Description, queue: LetterQueue, count: int) -> None:
        self._logs: Any = session.client("logs")
        self._service = service
        self._queue = queue
        self._total = count
        self._met = 0
        self._console = talk()
        self._counts = {"returned": 0, "deleted": 0, "left": 0}

    def run(self) -> None:
        try:
            with Borrowing(self._queue) as borrowing:
                while letters := borrowing.take():
                    if not all(self._decide(borrowing, letter) for letter in letters):
                        break
        finally:
            self._console.print(", ".join(f"{count} {what}" for what, count in self._counts.items()))

    def _decide(self, borrowing: Borrowing, letter: Letter) -> bool:
        """Ask until something becomes of the letter; gives whether to go on."""
        self._met += 1
        self._console.rule(self._which)
        show_one(letter, self._console.print)
        while (answer := _choose(_WITH_ONE)) == "v" or (answer == "d" and not self._agrees(letter)):
            if answer == "v":
                self._show_logs(letter)
        match answer:
            case "r":
                self._queue.check_takes_back()
                self._count("returned", return_some(self._queue, borrowing, [letter]))
            case "d":
                self._count("deleted", borrowing.delete([letter]))
            case "l":
                self._counts["left"] += 1
        return answer != "q"

    @property
    def _which(self) -> str:
        return f"{self._met} of about {max(self._met, self._total)}"

    def _agrees(self, letter: Letter) -> bool:
        question = f"Delete dead letter {letter.message_id}, {self._which} of {self._queue.place}, permanently?"
        return click.confirm(one_line(question), err=True)

    def _count(self, what: str, handled: Handled) -> None:
        self._counts[what] += len(handled.done)
        if handled.problem is not None:
            raise handled.problem

    def _show_logs(self, letter: Letter) -> None:
        """Show what the log says; that it cannot be read is no reason not to decide."""
        try:
            show_logs(self._logs, self._service, letter)
        except (BotoCoreError, ClientError) as error:
            self._console.print(f"the log cannot be read: {refusal_of(error)}")


def _choose(choices: Mapping[str, str]) -> str:
    for key, meaning in choices.items():
        click.echo(f"  {key}  {meaning}", err=True)
    understood = [*choices, *(key for key, meant in _ALSO.items() if meant in choices)]
    shown = f"What next? ({', '.join(choices)})"
    answer: str = click.prompt(shown, type=click.Choice(understood), show_choices=False, err=True)
    return _ALSO.get(answer, answer)
