"""Asking before something is done that cannot be undone."""

from __future__ import annotations

import sys

import click

from watchbot_cli.errors import CommandError, UsageError


def ask(question: str, *, yes: bool) -> None:
    """Go on if the person says so, or said ``--yes``; raises :class:`CommandError` otherwise."""
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: say --yes, or look first with --dry-run")
    if not click.confirm(question, err=True):
        raise CommandError("nothing was done")
