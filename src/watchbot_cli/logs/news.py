"""What is new in a log since it was last looked at."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable, Iterator

from watchbot.contract import Event
from watchbot_cli.logs.line import Line
from watchbot_cli.logs.log import Log
from watchbot_cli.logs.wanted import Wanted, of_task

_LATE_MS = 60_000
"""How far before the newest line known is looked for others: containers send theirs every few seconds, each its own."""


class News:
    """Gives lines in the order of their times, each once, however often it is asked and wherever it was cut off.

    A line that comes late is given when it comes. ``message_id`` adds what each of the message's tasks wrote.
    """

    def __init__(
        self, log: Log, wanted: Wanted, since: int, now: Callable[[], float], message_id: str | None = None
    ) -> None:
        self._log = log
        self._since = since
        self._now = now
        self._unsought = message_id
        self._message_id = message_id
        self._places = {wanted: since}
        self._given: OrderedDict[str, int] = OrderedDict()

    def lines(self) -> Iterator[Line]:
        """Give what has come; what was not given because reading failed is given the next time."""
        if self._unsought is not None:
            for task in self._log.tasks_of(self._unsought, self._since):
                self._add_task(task)
            self._unsought = None
        readers = [self._reader(wanted, since) for wanted, since in self._places.items()]
        for line, wanted in heapq.merge(*readers, key=lambda found: found[0].at):
            if line.event_id not in self._given:
                yield line
                self._given[line.event_id] = line.at
                self._look_for_task(line)
            # A clock that is ahead must not hide what others write.
            self._places[wanted] = max(self._places[wanted], min(line.at, int(self._now() * 1000)) - _LATE_MS)
            self._forget()

    def _look_for_task(self, line: Line) -> None:
        """Have the lines of a task that has just been started come with the next news."""
        entry = line.entry
        if entry is None or self._message_id is None:
            return
        if (entry.event, entry.message_id) == (Event.TASK_STARTED, self._message_id):
            self._add_task(str(entry.fields.get("task")))

    def _add_task(self, arn: str) -> None:
        self._places.setdefault(of_task(arn), self._since)

    def _reader(self, wanted: Wanted, since: int) -> Iterator[tuple[Line, Wanted]]:
        return ((line, wanted) for line in self._log.lines(wanted, since))

    def _forget(self) -> None:
        """Forget lines that no reading can find again."""
        earliest = min(self._places.values())
        while self._given and next(iter(self._given.values())) < earliest:
            self._given.popitem(last=False)
