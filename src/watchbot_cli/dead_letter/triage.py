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

_WITH_ALL = {"t": "triage one by one", "p": "print all", "r": "return all", "g": "purge", "q": "quit"}
_WITH_ONE = {"v": "view logs", "r": "return to the queue", "l": "leave", "d": "delete", "s": "stop"}


def triage(session: Session, service: Description) -> int:
    """Ask what to do with the dead letters, and do it."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: use dead-letter list, show, redrive, delete, purge or export")
    queue = LetterQueue(session, service)
    everything = Selection(Filters())
    talk().print(f"{service.service} has about {queue.count()} dead letters")
    match _choose(_WITH_ALL):
        case "t":
            _Triage(session, service, queue).run()
        case "p":
            show_list(queue, everything, as_json=True)
        case "r":
            redrive(queue, everything, dry_run=False, yes=False, as_json=False)
        case "g":
            purge(queue, dry_run=False, yes=False, as_json=False)
    return 0


class _Triage:
    """Shows a letter at a time; those that are left are out of sight until the end, or they would come again."""

    def __init__(self, session: Session, service: Description, queue: LetterQueue) -> None:
        self._logs: Any = session.client("logs")
        self._service = service
        self._queue = queue
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
        self._console.rule()
        show_one(letter, lambda text: self._console.print(text, markup=False))
        while (answer := _choose(_WITH_ONE)) == "v":
            self._show_logs(letter)
        match answer:
            case "r":
                self._count("returned", return_some(self._queue, borrowing, [letter]))
            case "d":
                self._count("deleted", borrowing.delete([letter]))
            case "l":
                self._counts["left"] += 1
        return answer != "s"

    def _count(self, what: str, handled: Handled) -> None:
        self._counts[what] += len(handled.done)
        if handled.problem is not None:
            raise handled.problem

    def _show_logs(self, letter: Letter) -> None:
        """Show what the log says; that it cannot be read is no reason not to decide."""
        try:
            show_logs(self._logs, self._service, letter)
        except (BotoCoreError, ClientError) as error:
            self._console.print(f"the log cannot be read: {refusal_of(error)}", markup=False)


def _choose(choices: Mapping[str, str]) -> str:
    for key, meaning in choices.items():
        click.echo(f"  {key}  {meaning}", err=True)
    answer: str = click.prompt("What next?", type=click.Choice([*choices]), err=True)
    return answer
