"""What ``watchbot status`` does."""

from __future__ import annotations

from rich.console import Console

from watchbot_cli.errors import CommandError
from watchbot_cli.options import Target
from watchbot_cli.output import HarmlessConsole, write_as_it_is, write_json
from watchbot_cli.session import Session
from watchbot_cli.stack import find
from watchbot_cli.status.reading import Reading
from watchbot_cli.status.screen import screen
from watchbot_cli.status.snapshot import Snapshot


def status(target: Target, *, as_json: bool) -> None:
    """Read once and show it; raises :class:`CommandError` when nothing at all can be read."""
    session = Session(target)
    snapshot = Reading(session, find(session, target, warns=False))()
    if snapshot.unreadable.keys() == snapshot.parts.keys():
        raise CommandError(next(iter(snapshot.unreadable.values())).unreadable)
    if as_json:
        write_json(snapshot.to_dict())
    else:
        write_as_it_is(drawn(HarmlessConsole(), snapshot))


def drawn(console: Console, snapshot: Snapshot) -> str:
    """Draw for a console: as wide as it is, in colour if it has any."""
    with console.capture() as capture:
        console.print(screen(snapshot, snapshot.read_at))
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())
