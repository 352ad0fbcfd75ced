"""What ``watchbot top`` does."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live

from watchbot_cli.errors import UsageError
from watchbot_cli.options import Target
from watchbot_cli.output import HarmlessConsole, write_json
from watchbot_cli.session import Session
from watchbot_cli.stack import find
from watchbot_cli.status.reading import Reading
from watchbot_cli.status.snapshot import Snapshot
from watchbot_cli.top.keyboard import Keyboard
from watchbot_cli.top.live_screen import LiveScreen
from watchbot_cli.top.watch import Watch

_DRAWN_SECONDS = 1.0
"""How soon a terminal of another size is filled, and how often what grows old is drawn anew."""


def top(target: Target, *, every_seconds: float, as_json: bool) -> None:
    """Show the service until told to end; raises :class:`UsageError` where nothing can be shown live."""
    if every_seconds < 1:
        raise UsageError(f"--every must be 1s or more, got {every_seconds:g} seconds")
    console = HarmlessConsole()
    if not as_json:
        _check_terminal(console)
    session = Session(target)
    reading = Reading(session, find(session, target, warns=False))
    with contextlib.suppress(KeyboardInterrupt):
        if as_json:
            _print(reading, every_seconds)
        else:
            _show(console, Watch(reading, every_seconds), every_seconds)


def _check_terminal(console: Console) -> None:
    is_input = sys.stdin is not None and sys.stdin.isatty()
    if not is_input or not console.is_terminal or console.is_dumb_terminal:
        raise UsageError("top needs a terminal: use watchbot status, or --json for a line each time")


def _print(read: Callable[[], Snapshot], every_seconds: float) -> None:
    while True:
        write_json(read().to_dict())
        time.sleep(every_seconds)


def _show(console: Console, watch: Watch, every_seconds: float) -> None:
    drawing = Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
    with Keyboard() as keyboard, drawing as live:
        watch.start()
        key: str | None = None
        while key not in ("q", "Q", ""):
            live.update(LiveScreen(watch.seen, every_seconds, datetime.now(UTC)), refresh=True)
            key = keyboard.key(_DRAWN_SECONDS)
