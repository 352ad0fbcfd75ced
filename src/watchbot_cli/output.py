"""Standard output, which is data, and standard error, which is talk."""

from __future__ import annotations

import errno
import json
import os
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from watchbot.strict_json import without_nan
from watchbot_cli.errors import CommandError


def write(text: str) -> None:
    """Write a line of data at once; raises :class:`CommandError` when nobody takes it."""
    try:
        if sys.stdout is None:  # it was closed before we started
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer must not fail a second time when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise CommandError(f"standard output cannot be written to: {error.strerror}") from error


def write_json(value: Any) -> None:
    """Write one JSON object as a line."""
    write(json_line(value, getattr(sys.stdout, "encoding", None) or "utf-8"))


def json_line(value: Any, encoding: str) -> str:
    r"""Return one JSON object as a line.

    Characters that the encoding lacks, and halves of one, are \uXXXX; numbers that JSON lacks are null.
    """
    value = without_nan(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False)
    return text


def talk() -> Console:
    """Make what speaks to the person: on standard error, in colour on a terminal unless NO_COLOR is set."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def progress(console: Console) -> Progress:
    """Make a bar of so many of so many, which shows on a terminal alone and leaves nothing behind."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
