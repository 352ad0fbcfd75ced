"""Dead letters back to the work queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from watchbot.dead_letter import SIZE_LIMIT
from watchbot_cli.batching import batches
from watchbot_cli.consent import ask
from watchbot_cli.dead_letter.borrowing import Borrowing
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import LetterQueue
from watchbot_cli.dead_letter.listing import show_list
from watchbot_cli.dead_letter.move_task import MoveTask, NoMoveTasksError
from watchbot_cli.dead_letter.selection import Selection
from watchbot_cli.dead_letter.walk import Walk
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.output import talk, write_json


def redrive(queue: LetterQueue, selection: Selection, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Return the letters that are meant; all of them are moved by SQS itself, where it can."""
    if dry_run:
        return show_list(queue, selection, as_json=as_json)
    which = (
        f"all dead letters, about {queue.count()}," if selection.is_everything else "the dead letters that are meant"
    )
    ask(f"Return {which} to the work queue?", yes=yes)
    _tell(return_letters(queue, selection), as_json=as_json)
    return 0


def return_letters(queue: LetterQueue, selection: Selection) -> int:
    """Return the letters that are meant; gives how many."""
    console = talk()
    if selection.is_everything:
        try:
            return MoveTask(queue, console).run()
        except NoMoveTasksError:
            console.print("this endpoint moves no messages by itself: they are moved from here")
    walk = Walk(queue, selection, console)
    walk.run("returned", lambda borrowing, letters: return_some(queue, borrowing, letters))
    return walk.done


def return_some(queue: LetterQueue, borrowing: Borrowing, letters: list[Letter]) -> None:
    """Send, then delete: whatever ends us in between, a letter is at worst in both queues, and never in neither."""
    taken, problem = queue.send(letters)
    borrowing.delete(taken)
    if problem is not None:
        raise CommandError(f"SQS does not take every dead letter back, and those stay: {problem}")


def import_letters(queue: LetterQueue, file: str, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Send what was exported to the work queue, all lines checked before any is sent."""
    letters = [*_read(file)]
    if dry_run:
        talk().print(f"{len(letters)} dead letters can be sent")
        return 0
    ask(f"Send {len(letters)} dead letters to the work queue?", yes=yes)
    done = 0
    try:
        for batch in batches(letters, lambda letter: letter.size, SIZE_LIMIT):
            taken, problem = queue.send(batch)
            done += len(taken)
            if problem is not None:
                raise CommandError(f"SQS took {done} of {len(letters)} dead letters and then refused one: {problem}")
    except KeyboardInterrupt:
        raise CommandError(f"interrupted: the first {done} of {len(letters)} lines, or ten more, were sent") from None
    _tell(done, as_json=as_json)
    return 0


def _read(file: str) -> Iterator[Letter]:
    try:
        lines = Path("/dev/stdin" if file == "-" else file).read_text().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file!r} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
            if not isinstance(document, dict):
                raise ValueError("is no JSON object")
            yield Letter.from_document(document)
        except ValueError as error:
            raise UsageError(f"line {number} of {file!r}, of which nothing was sent: {error}") from error


def _tell(count: int, *, as_json: bool) -> None:
    if as_json:
        write_json({"returned": count})
    else:
        talk().print(f"{count} dead letters returned to the work queue")
