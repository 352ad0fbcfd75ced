"""One dead letter by its id."""

from __future__ import annotations

from typing import Any

from watchbot.contract import Description
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import Handled, LetterQueue
from watchbot_cli.dead_letter.listing import show_one
from watchbot_cli.dead_letter.selection import Filters, Selection
from watchbot_cli.dead_letter.walk import Walk
from watchbot_cli.logs.log import Log
from watchbot_cli.output import talk, write, write_json
from watchbot_cli.session import Session
from watchbot_cli.stack import Found


def show(session: Session, found: Found, wanted: str, *, logs: bool, as_json: bool) -> int:
    """Print everything about the letter, and what the log says of it if that is asked for."""
    letter = find(LetterQueue(session, found), wanted)
    if as_json:
        write_json(letter.document_now())
    else:
        show_one(letter)
    if logs:
        show_logs(session.client("logs"), found.service, letter)
    return 0


def find(queue: LetterQueue, wanted: str) -> Letter:
    """Go through the queue until a letter of this id turns up; raises :class:`CommandError` when none does."""
    found: list[Letter] = []

    def keep(_: object, letters: list[Letter]) -> Handled:
        found.extend(letters)
        return Handled(letters)

    account = Walk(queue, Selection(Filters(ids=(wanted,), limit=1)), talk()).run(keep)
    account.tell_of_hidden(talk(), fifo=queue.fifo)
    account.raise_what_ended()
    return found[0]


def show_logs(logs: Any, service: Description, letter: Letter) -> None:
    """Print what the log says of a letter's job."""
    count = 0
    log = Log(logs, service.log_group, service.isolation)
    for line in log.digest(letter.message_id, max(0, int(letter.published_at * 1000))):
        write(line)
        count += 1
    if not count:
        talk().print(f"the log {service.log_group} says nothing of {letter.message_id}")
