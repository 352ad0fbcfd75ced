"""Dead letters shown: a line each, or everything as JSON."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from watchbot_cli.dead_letter.account import Account
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import Handled, LetterQueue
from watchbot_cli.dead_letter.selection import Selection
from watchbot_cli.dead_letter.walk import Walk
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.output import json_line, talk, write, write_json
from watchbot_cli.span import spoken

_SHOWN_CHARACTERS = 80


def show_list(queue: LetterQueue, selection: Selection, *, as_json: bool) -> int:
    """Print the letters that are meant, as they come."""
    _tell(_list(queue, selection, as_json=as_json), queue, "")
    return 0


def export(queue: LetterQueue, selection: Selection, file: str, *, as_json: bool) -> int:
    """Write the letters that are meant into a new file, one JSON object a line.

    Raises :class:`CommandError` when there were more that could not be looked at: what is done with the file next must
    not be done to those.
    """
    if file == "-":
        account = _list(queue, selection, as_json=True)
    else:
        with _created(file) as lines:
            account = _walk(queue, selection, lambda letter: lines.write(f"{_text(letter)}\n"))
        if as_json:
            account.write("exported")
        elif account.ended is not None:
            talk().print(f"{account.counted} exported")
    _tell(account, queue, " exported; they are still in the dead-letter queue")
    if account.not_looked_at:
        raise CommandError(
            "not all dead letters were exported: mend, import and delete --from these first, then export again"
        )
    return 0


def _list(queue: LetterQueue, selection: Selection, *, as_json: bool) -> Account:
    return _walk(queue, selection, _json if as_json else _line)


def _walk(queue: LetterQueue, selection: Selection, show: Callable[[Letter], object]) -> Account:
    lock = threading.Lock()

    def handle(_: object, letters: list[Letter]) -> Handled:
        with lock:
            for letter in letters:
                show(letter)
        return Handled(letters)

    return Walk(queue, selection, talk()).run(handle)


def _tell(account: Account, queue: LetterQueue, what: str) -> None:
    console = talk()
    if account.ended is None:
        console.print(f"{account.counted}{what}")
        account.tell_of_hidden(console, fifo=queue.fifo)
    account.raise_what_ended()


def _created(file: str) -> TextIO:
    try:
        return Path(file).open("x", encoding="utf-8")
    except FileExistsError:
        raise UsageError(f"{file!r} exists: export into a new file") from None
    except OSError as error:
        raise UsageError(f"{file!r} cannot be written: {error.strerror}") from error


def show_one(letter: Letter, say: Callable[[str], None] = write) -> None:
    """Print everything about one letter for a person."""
    document = letter.document_now()
    say(f"message id     {document['message_id']}")
    say(f"sent           {document['sent_at']}, {spoken(document['age_seconds'])} ago")
    say(f"received       {document['receive_count']} times")
    say(f"reason         {document['reason']}")
    for name in ("group_id", "trace_header", "subject"):
        if document[name] is not None:
            say(f"{name.replace('_', ' '):<14} {document[name]}")
    for name, value in document["attributes"].items():
        say(f"attribute      {name}={value}")
    say(document["message"])


def _json(letter: Letter) -> None:
    write_json(letter.document_now())


def _text(letter: Letter) -> str:
    return json_line(letter.document_now(), "utf-8")


def _line(letter: Letter) -> None:
    document = letter.document_now()
    message = " ".join(document["message"][: 2 * _SHOWN_CHARACTERS].split())[:_SHOWN_CHARACTERS]
    age = spoken(document["age_seconds"])
    write(f"{letter.message_id}  {letter.receive_count:>3}  {age:>4}  {letter.reason}  {message}")
