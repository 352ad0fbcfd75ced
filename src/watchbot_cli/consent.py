"""Asking before something is done that cannot be undone."""

from __future__ import annotations

import sys

import click

from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.terminal_text import one_line


def ask(question: str, *, yes: bool) -> None:
    """Go on if the person says so, or said ``--yes``; raises :class:`CommandError` otherwise."""
    if yes:
        return
    check_askable()
    if not click.confirm(one_line(question), err=True):
        raise CommandError("nothing was done")


def check_askable() -> None:
    """Raise :class:`UsageError` where no person can answer."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: say --yes, or look first with --dry-run")
