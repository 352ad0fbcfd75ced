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
from watchbot_cli.terminal_text import one_line

_SHOWN_CHARACTERS = 80


def show_list(queue: LetterQueue, selection: Selection, *, as_json: bool) -> int:
    """Print the letters that are meant, as they come."""
    account = _list(queue, selection, as_json=as_json)
    _tell(account, queue, "")
    return account.exit_code


def export(queue: LetterQueue, selection: Selection, file: str, *, as_json: bool) -> int:
    """Write the letters that are meant into a new file, one JSON object a line.

    Raises :class:`CommandError` when there were more that could not be looked at: what is done with the file next must
    not be done to those.
    """
    if file == "-":
        account = _list(queue, selection, as_json=True)
    else:
        with _created(file) as lines:
            account = _walk(queue, selection, lambda letter: lines.write(f"{_text(letter)}\n"), with_data=False)
        if as_json:
            account.write("exported")
        elif account.ended is not None:
            talk().print(account.told(" exported"))
    _tell(account, queue, " exported; they are still in the dead-letter queue")
    if account.not_looked_at:
        raise CommandError(
            "not all dead letters were exported: mend, import and delete --from these first, then export again"
        )
    return 0


def _list(queue: LetterQueue, selection: Selection, *, as_json: bool) -> Account:
    return _walk(queue, selection, _json if as_json else _line, with_data=True)


def _walk(queue: LetterQueue, selection: Selection, show: Callable[[Letter], object], *, with_data: bool) -> Account:
    lock = threading.Lock()

    def handle(_: object, letters: list[Letter]) -> Handled:
        with lock:
            for letter in letters:
                show(letter)
        return Handled(letters)

    return Walk(queue, selection, talk(), with_data=with_data).run(handle)


def _tell(account: Account, queue: LetterQueue, what: str) -> None:
    console = talk()
    if account.ended is None:
        console.print(account.told(what))
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
    facts = [
        ("message id", document["message_id"]),
        ("sent", f"{document['sent_at']}, {spoken(document['age_seconds'])} ago"),
        ("received", _received(letter.receive_count)),
        ("reason", document["reason"]),
        *((name.replace("_", " "), document[name]) for name in ("group_id", "trace_header", "subject")),
        *(("attribute", f"{name}={value}") for name, value in document["attributes"].items()),
    ]
    for name, fact in facts:
        if fact is not None:
            say(f"{name:<14} {one_line(str(fact))}")
    say(str(document["message"]))


def _received(count: int | None) -> str:
    return "-" if count is None else f"{count} times"


def _json(letter: Letter) -> None:
    write_json(letter.document_now())


def _text(letter: Letter) -> str:
    return json_line(letter.document_now(), "utf-8")


def _line(letter: Letter) -> None:
    document = letter.document_now()
    message = " ".join(str(document["message"])[: 2 * _SHOWN_CHARACTERS].split())[:_SHOWN_CHARACTERS]
    age = spoken(document["age_seconds"])
    count = "-" if letter.receive_count is None else letter.receive_count
    write(one_line(f"{letter.message_id}  {count:>3}  {age:>4}  {letter.reason}  {message}"))
