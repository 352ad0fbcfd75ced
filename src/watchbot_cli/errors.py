"""What ends a command with a sentence instead of a traceback."""

from __future__ import annotations


class CommandError(Exception):
    """Something went wrong; its text is for the person who typed the command. Exit code 1."""

    exit_code = 1


class UsageError(CommandError):
    """The command was asked for something that cannot be. Exit code 2."""

    exit_code = 2
