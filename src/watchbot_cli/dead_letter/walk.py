"""Going through the dead letters, and doing something with those that are meant."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rich.console import Console

from watchbot_cli.dead_letter.borrowing import Borrowing
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import LetterQueue
from watchbot_cli.dead_letter.selection import Selection
from watchbot_cli.errors import CommandError
from watchbot_cli.output import progress

Handle = Callable[[list[Letter]], None]
"""Does what was asked for with at most ten letters, in any thread."""


class Walk:
    """One way through the queue; ``done`` counts the letters that were handled."""

    def __init__(self, queue: LetterQueue, selection: Selection, console: Console) -> None:
        self.done = 0
        self._queue = queue
        self._selection = selection
        self._console = console
        self._lock = threading.Lock()
        self._left = selection.limit

    def run(self, what: str, handle: Callable[[Borrowing, list[Letter]], None]) -> None:
        """Handle every letter that is meant; ``what`` says in a word what that does, for the bar and for Ctrl-C."""
        with progress(self._console) as bars, Borrowing(self._queue) as borrowing:
            bar = bars.add_task("looking", total=self._queue.count())

            def looked(letters: list[Letter]) -> None:
                chosen = self._choose(letters, borrowing)
                if chosen:
                    handle(borrowing, chosen)
                with self._lock:
                    self.done += len(chosen)
                bars.advance(bar, len(letters))

            try:
                borrowing.each(looked)
            except KeyboardInterrupt:
                raise CommandError(f"interrupted: {self.done} {what}, all others are where they were") from None
            self._tell_of_hidden(borrowing)

    def _choose(self, letters: list[Letter], borrowing: Borrowing) -> list[Letter]:
        now = time.time()
        chosen = [letter for letter in letters if self._selection.accepts(letter, now)]
        with self._lock:
            if self._left is not None:
                chosen = chosen[: self._left]
                self._left -= len(chosen)
                if self._left == 0:
                    borrowing.stop()
        return chosen

    def _tell_of_hidden(self, borrowing: Borrowing) -> None:
        """Say what order has kept from us: SQS gives the first ten of a group, and no more until they are gone.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
        """
        if not self._queue.fifo or self._left == 0:
            return
        behind = self._queue.count() - borrowing.count
        if behind > 0:
            self._console.print(f"about {behind} more wait behind these in their groups, and were not looked at")
