"""Going through the dead letters, and doing something with those that are meant."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from watchbot_cli.dead_letter.account import Account
from watchbot_cli.dead_letter.borrowing import Borrowing
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import Handled, LetterQueue
from watchbot_cli.dead_letter.selection import Selection
from watchbot_cli.errors import CommandError
from watchbot_cli.output import progress

Handle = Callable[[Borrowing, list[Letter]], Handled]
"""Does what was asked for with at most ten letters, in any thread."""


class Walk:
    """One way through the queue."""

    def __init__(self, queue: LetterQueue, selection: Selection, console: Console, *, with_data: bool = False) -> None:
        self._queue = queue
        self._selection = selection
        self._console = console
        self._account = Account()
        self._lock = threading.Lock()
        self._left = selection.limit
        self._letter_ids: set[str] = set()
        self._message_ids: set[str] = set()
        self._with_data = with_data
        self._under_way = 0

    def run(self, handle: Handle) -> Account:
        """Handle every letter that is meant; whatever happens, gives what became of them."""
        with progress(self._console, with_data=self._with_data) as bars, Borrowing(self._queue) as borrowing:
            before = self._queue.count()
            bar = bars.add_task("looking", total=before)

            def looked(letters: list[Letter]) -> None:
                chosen = self._choose(letters, borrowing)
                if chosen:
                    self._handle(handle, borrowing, chosen)
                bars.advance(bar, len(letters))

            try:
                if not self._selection.is_exhausted(self._letter_ids):
                    borrowing.each(looked)
                self._look_back(before, borrowing)
            except KeyboardInterrupt:
                with self._lock:
                    self._account.doubtful += self._under_way  # SQS has not answered, and may do it yet
                self._account.ended = CommandError("interrupted: all others are where they were")
            except (BotoCoreError, ClientError, CommandError) as error:
                self._account.ended = error
            self._account.looked_at = borrowing.seen
        self._selection.tell_of_mismatches(self._console)
        return self._account

    def _choose(self, letters: list[Letter], borrowing: Borrowing) -> list[Letter]:
        now = time.time()
        chosen = [letter for letter in letters if self._selection.accepts(letter, now)]
        with self._lock:
            self._letter_ids |= {letter.letter_id for letter in letters}
            self._message_ids |= {letter.message_id for letter in letters}
            if self._left is not None:
                chosen = chosen[: self._left]
                self._left -= len(chosen)
            if self._left == 0 or self._selection.is_exhausted(self._letter_ids):
                borrowing.stop()
        return chosen

    def _handle(self, handle: Handle, borrowing: Borrowing, chosen: list[Letter]) -> None:
        with self._lock:
            self._under_way += len(chosen)
        try:
            handled = handle(borrowing, chosen)
        finally:
            with self._lock:
                self._under_way -= len(chosen)
        with self._lock:
            self._account.done += len(handled.done)
            self._account.doubtful += len(handled.doubtful)
        if handled.problem is not None:
            raise handled.problem

    def _look_back(self, before: int, borrowing: Borrowing) -> None:
        """Count what was out of reach: what was there at first and was not seen, if it still is there.

        SQS's counts come a little late, so that neither of them is enough by itself.
        """
        if self._left == 0:
            return
        self._account.missing = self._selection.missing(self._letter_ids | self._message_ids)
        if not self._selection.is_exhausted(self._letter_ids):
            behind = min(before - borrowing.seen, self._queue.count() - borrowing.count)
            self._account.not_looked_at = max(0, behind)
