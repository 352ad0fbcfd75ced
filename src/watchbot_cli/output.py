"""Standard output, which is data, and standard error, which is talk; nothing of either steers a terminal."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.text import Text

from watchbot.strict_json import without_nan
from watchbot_cli.errors import CommandError
from watchbot_cli.terminal_text import harmless, harmless_json


def write(text: str) -> None:
    """Write a line for people at once; raises :class:`CommandError` when no reader takes it."""
    write_as_it_is(harmless(text))


def write_as_it_is(text: str) -> None:
    """Write a line that is harmless already, or that goes to no terminal."""
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
    write_as_it_is(json_line(value, getattr(sys.stdout, "encoding", None) or "utf-8"))


def json_line(value: Any, encoding: str) -> str:
    r"""Return one JSON object as a line.

    Characters that the encoding lacks, halves of one, and what steers a terminal are \uXXXX; numbers that JSON lacks
    are null.
    """
    value = without_nan(value)
    text = harmless_json(value)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False).replace("\x7f", r"\u007f")
    return text


def data_is_on_a_terminal() -> bool:
    """Whether a person sees standard output as it is written."""
    return sys.stdout is not None and sys.stdout.isatty()


class HarmlessConsole(Console):
    """Takes no text for markup, and spells out what would steer the terminal; its own colours are not text."""

    def __init__(self, **others: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **others)

    def render_str(self, text: str, **others: Any) -> Text:
        """Turn a string into rich's text, which would drop some of these characters without a sign."""
        return super().render_str(harmless(text), **others)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, and spell out what reached a text by another way."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(harmless(segment.text), segment.style)


def talk() -> Console:
    """Make what speaks to the person: on standard error, in colour on a terminal unless NO_COLOR is set.

    FORCE_COLOR makes no terminal of a file: a bar's movements of the cursor would fill it.
    """
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    return HarmlessConsole(stderr=True, soft_wrap=True, force_terminal=is_terminal)


def progress(console: Console, *, with_data: bool = False) -> Progress:
    """Make a bar of so many of so many, which shows on a terminal alone and leaves nothing behind.

    ``with_data`` says that lines are written to standard output meanwhile: on a terminal they are progress enough, and
    a bar would be drawn over them. Standard output is never redirected, as rich does it: data would go where the bar
    goes, to standard error.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal or (with_data and data_is_on_a_terminal()),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
