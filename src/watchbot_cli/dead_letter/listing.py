"""Dead letters shown: a line each, or everything as JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import LetterQueue
from watchbot_cli.dead_letter.selection import Selection
from watchbot_cli.dead_letter.walk import Walk
from watchbot_cli.errors import UsageError
from watchbot_cli.output import talk, write, write_json
from watchbot_cli.span import spoken

_SHOWN_CHARACTERS = 80


def show_list(queue: LetterQueue, selection: Selection, *, as_json: bool) -> int:
    """Print the letters that are meant, as they come."""
    console = talk()
    show = _json if as_json else _line
    walk = Walk(queue, selection, console)
    lock = threading.Lock()

    def handle(_: object, letters: list[Letter]) -> None:
        with lock:
            for letter in letters:
                show(letter)

    walk.run("shown", handle)
    console.print(f"{walk.done} dead letters")
    return 0


def export(queue: LetterQueue, selection: Selection, file: str) -> int:
    """Write the letters that are meant into a new file, one JSON object a line."""
    if file == "-":
        return show_list(queue, selection, as_json=True)
    console = talk()
    walk = Walk(queue, selection, console)
    lock = threading.Lock()
    try:
        with Path(file).open("x") as lines:

            def handle(_: object, letters: list[Letter]) -> None:
                with lock:
                    lines.writelines(f"{_text(letter)}\n" for letter in letters)

            walk.run("exported", handle)
    except FileExistsError:
        raise UsageError(f"{file!r} exists: export into a new file") from None
    console.print(f"{walk.done} dead letters exported; they are still in the dead-letter queue")
    return 0


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
    return json.dumps(letter.document_now(), ensure_ascii=False)


def _line(letter: Letter) -> None:
    document = letter.document_now()
    message = " ".join(document["message"][: 2 * _SHOWN_CHARACTERS].split())[:_SHOWN_CHARACTERS]
    age = spoken(document["age_seconds"])
    write(f"{letter.message_id}  {letter.receive_count:>3}  {age:>4}  {letter.reason}  {message}")
