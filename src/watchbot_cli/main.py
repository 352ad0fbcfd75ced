"""``watchbot COMMAND …``."""

from __future__ import annotations

import io
import signal
import sys
import traceback
from typing import NoReturn

import click

from watchbot import __version__
from watchbot_cli.commands.completion import PROGRAM, completion
from watchbot_cli.commands.dead_letter import dead_letter
from watchbot_cli.commands.init import init
from watchbot_cli.commands.jobs import jobs
from watchbot_cli.commands.local import local
from watchbot_cli.commands.logs import logs
from watchbot_cli.commands.pause import pause
from watchbot_cli.commands.resume import resume
from watchbot_cli.commands.run import run
from watchbot_cli.commands.send import send
from watchbot_cli.commands.simulate import simulate
from watchbot_cli.commands.status import status
from watchbot_cli.commands.top import top
from watchbot_cli.commands.worker_capacity import worker_capacity
from watchbot_cli.errors import CommandError
from watchbot_cli.examples import Group
from watchbot_cli.terminal_text import harmless

_COMMANDS = (
    completion,
    dead_letter,
    init,
    jobs,
    local,
    logs,
    pause,
    resume,
    run,
    send,
    simulate,
    status,
    top,
    worker_capacity,
)


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=(
        "watchbot init thumbnails",
        'watchbot local --app "python app.py" --send jobs.jsonl --until-empty',
        "watchbot dead-letter --stack Thumbnails",
    ),
)
@click.version_option(__version__, prog_name=PROGRAM)
def cli() -> None:
    """Run and look after Watchbot services: their data goes to standard output, all else to standard error."""


for _command in _COMMANDS:
    cli.add_command(_command)


def main() -> None:
    r"""Run the command line; whatever is the matter is said in a sentence.

    Being told to end, or losing the terminal, is Ctrl-C: what a command has borrowed it gives back. Characters that
    standard output's encoding has not, and halves of one, which SQS takes, are written as Python would: ``\ud800``.
    """
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        sys.exit(cli(prog_name=PROGRAM, standalone_mode=False))
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        click.echo(harmless(shown.getvalue()), nl=False, err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _end(CommandError("interrupted"))
    except Exception as error:  # noqa: BLE001 - no traceback is for the person who typed the command
        _end(_told(error))


def _told(error: Exception) -> CommandError:
    if isinstance(error, CommandError):
        return error
    # Imported late: boto3 takes longer to load than help may take to print.
    from watchbot_cli.refusal import refusal_of

    refusal = refusal_of(error)
    if refusal is None and isinstance(error, OSError):
        refusal = CommandError(str(error))
    if refusal is None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        refusal = CommandError(f"this is a bug of watchbot's: {error!r} in line {last.lineno} of {last.filename}")
    return refusal


def _end(error: CommandError) -> NoReturn:
    click.echo(harmless(f"watchbot: {error}"), err=True)
    sys.exit(error.exit_code)
