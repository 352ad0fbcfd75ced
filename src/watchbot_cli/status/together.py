"""Reads made at the same time, each of which may fail for itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any

from watchbot_cli.errors import CommandError
from watchbot_cli.refusal import refusal_of
from watchbot_cli.status.snapshot import Unreadable


def together(reads: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Give what each read gives, or the :class:`Unreadable` in its place; any other error is raised here.

    The threads die with the program: whoever presses Ctrl-C waits for no answer of AWS.
    """
    answers: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    for name, read in reads.items():
        threading.Thread(target=_answer, args=(name, read, answers), daemon=True).start()
    found = dict(answers.get() for _ in reads)
    for answer in found.values():
        if isinstance(answer, BaseException):
            raise answer
    return {name: found[name] for name in reads}


def or_unreadable(read: Callable[[], Any]) -> Any:
    """Give what it gives, or why AWS did not."""
    try:
        return read()
    except Exception as error:
        refusal = error if isinstance(error, CommandError) else refusal_of(error)
        if refusal is None:
            raise
        return Unreadable(str(refusal))


def _answer(name: str, read: Callable[[], Any], answers: SimpleQueue[tuple[str, Any]]) -> None:
    try:
        answers.put((name, or_unreadable(read)))
    except Exception as error:  # noqa: BLE001 - it is raised where the answers are waited for
        answers.put((name, error))
