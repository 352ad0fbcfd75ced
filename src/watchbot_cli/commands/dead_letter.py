"""``watchbot dead-letter`` and its subcommands."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from watchbot_cli.examples import Command, Group
from watchbot_cli.options import FileName, Target, Time, service_options

if TYPE_CHECKING:
    from watchbot_cli.dead_letter.letter_queue import LetterQueue
    from watchbot_cli.dead_letter.selection import Selection

_OF = "watchbot dead-letter"


class _WithTriage(Group):
    """Without a subcommand it is triage."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the subcommand in where only its options are given; options may also stand before one that is named."""
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            place = self._place_of_name(args)
            args = ["triage", *args] if place is None else [args[place], *args[:place], *args[place + 1 :]]
        return super().parse_args(ctx, args)

    def _place_of_name(self, args: Sequence[str]) -> int | None:
        """Find the first word that is neither an option nor an option's value, if it is a subcommand's name."""
        options = [one for command in self.commands.values() for one in command.params if isinstance(one, click.Option)]
        valued = {name for option in options if not option.is_flag for name in option.opts}
        place = 0
        while place < len(args) and args[place].startswith("-") and args[place] != "-":
            place += 2 if args[place] in valued else 1
        return place if place < len(args) and args[place] in self.commands else None


@click.group(
    cls=_WithTriage,
    examples=(f"{_OF} --stack Thumbnails", f"{_OF} list --stack Thumbnails --where 'receive_count > `5`'"),
)
def dead_letter() -> None:
    """Look at what failed for good, and return it to the queue or delete it; with a stack alone, triage."""


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which dead letters are meant; the command gets a function that makes a selection."""

    @functools.wraps(command)
    def with_selection(
        where: str | None,
        match: str | None,
        reason: str | None,
        older_than: float | None,
        newer_than: float | None,
        limit: int | None,
        ids: tuple[str, ...] = (),
        exported: str | None = None,
        **others: Any,
    ) -> Any:
        def select() -> Selection:
            from watchbot_cli.dead_letter.exported import read_letter_ids
            from watchbot_cli.dead_letter.selection import Filters, Selection

            return Selection(
                Filters(
                    ids=ids,
                    letter_ids=None if exported is None else read_letter_ids(exported),
                    where=where,
                    match=match,
                    reason=reason,
                    older_than=older_than,
                    newer_than=newer_than,
                    limit=limit,
                )
            )

        return command(select=select, **others)

    for option in reversed(_FILTERS):
        with_selection = option(with_selection)
    return with_selection


_FILTERS = (
    click.option("--where", metavar="JMESPATH", help="Those of which this is true; asked of what list --json prints."),
    click.option("--match", metavar="REGEX", help="Those with this in message, subject or an attribute (NAME=VALUE)."),
    click.option("--reason", metavar="REGEX", help="Those that are here for this reason."),
    click.option("--older-than", type=Time(), metavar="TIME", help="Those sent longer ago: 90s, 15m, 2h, 3d."),
    click.option("--newer-than", type=Time(), metavar="TIME", help="Those sent since."),
    click.option("--limit", type=click.IntRange(1), metavar="COUNT", help="So many at most."),
)
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def _queue(target: Target) -> LetterQueue:
    from watchbot_cli.dead_letter.letter_queue import LetterQueue
    from watchbot_cli.session import Session
    from watchbot_cli.stack import find

    session = Session(target)
    return LetterQueue(session, find(session, target))


@dead_letter.command(cls=Command, examples=(f"{_OF} --stack Thumbnails",))
@service_options
def triage(target: Target, as_json: bool) -> int:
    """Go through the dead letters with questions: view logs, return, leave or delete each; or do it with all.

    Needs a terminal. What is being looked at is hidden from others, and given back at the end, or on Ctrl-C.
    """
    from watchbot_cli.dead_letter.triage import triage as run
    from watchbot_cli.errors import UsageError
    from watchbot_cli.session import Session
    from watchbot_cli.stack import find

    if as_json:
        raise UsageError("triage asks questions, and prints no JSON: use dead-letter list --json")
    session = Session(target)
    return run(session, find(session, target))


@dead_letter.command(
    "list",
    cls=Command,
    examples=(
        f"{_OF} list --stack Thumbnails --newer-than 1h",
        f"{_OF} list --stack Thumbnails --json | jq .message",
        f"{_OF} list --stack Thumbnails --where 'json.zoom > `10` && receive_count > `3`'",
    ),
)
@service_options
@_filters
def list_letters(target: Target, as_json: bool, select: Callable[[], Selection]) -> int:
    """Print a line for each dead letter: message id, receive count, age, reason, and how its message begins.

    The receive count is the work queue's, as the watcher noted it; a dash when SQS moved the message by itself. With
    --json everything about it, as export writes it. The exit code is 1 when some could not be looked at.
    """
    from watchbot_cli.dead_letter.listing import show_list

    return show_list(_queue(target), select(), as_json=as_json)


@dead_letter.command(cls=Command, examples=(f"{_OF} show 7b2c… --logs --stack Thumbnails",))
@click.argument("letter_id", metavar="ID")
@click.option("--logs", is_flag=True, help="Also print what the service's log says of it.")
@service_options
def show(target: Target, as_json: bool, letter_id: str, logs: bool) -> int:
    """Print everything about one dead letter: the first of this id, in either queue."""
    from watchbot_cli.dead_letter.finding import show as run
    from watchbot_cli.session import Session
    from watchbot_cli.stack import find

    session = Session(target)
    return run(session, find(session, target), letter_id, logs=logs, as_json=as_json)


@dead_letter.command(
    cls=Command,
    examples=(
        f"{_OF} redrive --stack Thumbnails",
        f"{_OF} redrive --stack Thumbnails --reason 'exit code 137' --limit 10 --dry-run",
    ),
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@service_options
@_filters
@_dry_run
@_yes
def redrive(target: Target, as_json: bool, select: Callable[[], Selection], dry_run: bool, yes: bool) -> int:
    """Return dead letters to the work queue: all of them, or those that are meant.

    All of them are moved by SQS itself, where it can; Ctrl-C cancels that. Others are sent and then deleted, with
    attributes, group and trace: whatever happens in between, one is at worst in both queues, and never in neither.
    """
    from watchbot_cli.dead_letter.returning import redrive as run

    return run(_queue(target), select(), dry_run=dry_run, yes=yes, as_json=as_json)


@dead_letter.command(
    cls=Command,
    examples=(f"{_OF} delete --stack Thumbnails --older-than 7d", f"{_OF} delete --stack Thumbnails --from dead.jsonl"),
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--from", "exported", type=FileName(), metavar="FILE", help="Those that were exported into this file.")
@service_options
@_filters
@_dry_run
@_yes
def delete(target: Target, as_json: bool, select: Callable[[], Selection], dry_run: bool, yes: bool) -> int:
    """Delete the dead letters that are meant, permanently, once the person has agreed to so many.

    With --from exactly those of a file that export wrote, once import has sent them mended.
    """
    from watchbot_cli.dead_letter.removal import delete as run

    return run(_queue(target), select(), dry_run=dry_run, yes=yes, as_json=as_json)


@dead_letter.command(cls=Command, examples=(f"{_OF} purge --stack Thumbnails --dry-run",))
@service_options
@_dry_run
@_yes
def purge(target: Target, as_json: bool, dry_run: bool, yes: bool) -> int:
    """Delete all dead letters, permanently; SQS may take a minute for it."""
    from watchbot_cli.dead_letter.removal import purge as run

    return run(_queue(target), dry_run=dry_run, yes=yes, as_json=as_json)


@dead_letter.command(cls=Command, examples=(f"{_OF} export dead.jsonl --stack Thumbnails",))
@click.argument("file", type=FileName(), metavar="FILE")
@service_options
@_filters
def export(target: Target, as_json: bool, file: str, select: Callable[[], Selection]) -> int:
    """Write dead letters into a new file (- for standard output), a JSON object each; they stay where they are.

    The exit code is 1 when not all could be looked at: others are looking at them, or they wait behind ten of their
    FIFO group. delete --from then deletes those of the file alone.
    """
    from watchbot_cli.dead_letter.listing import export as run

    return run(_queue(target), select(), file, as_json=as_json)


@dead_letter.command("import", cls=Command, examples=(f"{_OF} import dead.jsonl --stack Thumbnails",))
@click.argument("file", type=FileName(), metavar="FILE")
@click.option(
    "--trust-unverified",
    is_flag=True,
    help="Have letters of a webhook worked on without a check of their signature. You know who sent them.",
)
@service_options
@_dry_run
@_yes
def import_letters(target: Target, as_json: bool, file: str, trust_unverified: bool, dry_run: bool, yes: bool) -> int:
    """Send exported dead letters (- for standard input) to the work queue, with a body that may have been mended.

    All lines are checked before any is sent. Whatever happens, the numbers of the lines that were sent are told. A
    mended letter of a webhook whose callers sign is taken when its signature was valid before; any other one needs
    --trust-unverified.
    """
    from watchbot_cli.dead_letter.importing import import_letters as run

    return run(_queue(target), file, trust_unverified=trust_unverified, dry_run=dry_run, yes=yes, as_json=as_json)
