"""Commands whose help ends with lines to copy."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import click


class _Examples(click.Command):
    """Shows its examples as they are written, below the options."""

    def __init__(self, *arguments: Any, examples: Sequence[str], **others: Any) -> None:
        super().__init__(*arguments, **others)
        self.examples = tuple(examples)

    def get_short_help_str(self, limit: int = 0) -> str:
        """Give the first sentence of the help, whole: a list of commands has lines enough for it."""
        del limit
        paragraph = " ".join(inspect.cleandoc(self.help or "").partition("\n\n")[0].split())
        sentence, stop, _ = paragraph.partition(". ")
        return sentence + stop.rstrip()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with formatter.section("Examples"):
            formatter.write("".join(f"{' ' * formatter.current_indent}{line}\n" for line in self.examples))


class Command(_Examples):
    """A command with examples."""


class Group(_Examples, click.Group):
    """A group of commands with examples."""
