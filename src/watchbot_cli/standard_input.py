"""Standard input, which ``-`` stands for wherever a message or a file is taken."""

from __future__ import annotations

import errno
import os
import sys

import click


def standard_input() -> bytes:
    """Read it to its end, and say so to a person who would wonder what is waited for; raises :class:`OSError`."""
    if sys.stdin is None:  # it was closed before we started
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if sys.stdin.isatty():
        click.echo("reading from this terminal: end with Enter and Ctrl-D, or press Ctrl-C to do nothing", err=True)
    return sys.stdin.buffer.read()
