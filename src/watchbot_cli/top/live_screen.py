"""The screen of top: that of status, and what only time shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from watchbot_cli.span import spoken
from watchbot_cli.status.screen import screen
from watchbot_cli.top.seen import Seen
from watchbot_cli.top.sparkline import sparkline

_LATE = 3
"""So many times as long as between two readings may an answer take before it is said to be late."""


@dataclasses.dataclass(frozen=True, slots=True)
class LiveScreen:
    """What was seen, at a time, as wide as the terminal then is."""

    seen: Seen | None
    every_seconds: float
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        if self.seen is None:
            yield Text("reading...")
        else:
            yield Group(*self._parts(self.seen, options))

    def _parts(self, seen: Seen, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield self._heading(seen)
        for trouble in seen.troubles:
            yield Text(trouble, style="yellow")
        if not options.ascii_only and len(seen.backlog) > 1:
            label = "messages since top began  "
            yield Text(label, style="dim").append(sparkline(seen.backlog, options.max_width - len(label)), style="cyan")
        yield ""
        yield screen(seen.snapshot, self.now)

    def _heading(self, seen: Seen) -> Text:
        read = seen.snapshot.read_at
        heading = Text(f"{read:%H:%M:%S %Z}, every {spoken(self.every_seconds)}; q ends", style="dim")
        silent = (self.now - read).total_seconds()
        if silent > _LATE * self.every_seconds:
            heading.append(f"\nAWS has not answered for {spoken(round(silent))}", style="yellow")
        return heading
