"""The screen of top: that of status, and what only time shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from watchbot_cli import chart
from watchbot_cli.span import spoken
from watchbot_cli.status.screen import screen
from watchbot_cli.terminal_text import harmless
from watchbot_cli.top.seen import Seen

_LATE = 3
"""So many times as long as between two readings may an answer take before it is said to be late."""

_BACKLOG = "messages since top began  "


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
            yield Text(harmless(trouble), style="yellow")
        if not options.ascii_only:
            yield self._backlog(seen, options.max_width - len(_BACKLOG))
        yield ""
        yield screen(seen.snapshot, self.now)

    def _backlog(self, seen: Seen, most_columns: int) -> Text:
        columns = max(0, min(most_columns, len(seen.backlog)))
        bars = chart.drawn(seen.backlog, width=columns, height=1) if columns else [""]
        return Text(_BACKLOG, style="dim").append(bars[0], style="cyan")

    def _heading(self, seen: Seen) -> Text:
        read = seen.snapshot.read_at
        heading = Text(f"{read:%H:%M:%S %Z}, every {spoken(self.every_seconds)}; q ends", style="dim")
        silent = (self.now - read).total_seconds()
        if silent > _LATE * self.every_seconds:
            heading.append(f"\nAWS has not answered for {spoken(round(silent))}", style="yellow")
        return heading
