"""Dead letters taken out of sight for as long as a command looks at them, and no longer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from types import TracebackType

from botocore.exceptions import BotoCoreError, ClientError

from watchbot_cli.batching import BATCH
from watchbot_cli.crew import Crew
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import THREADS, Handled, LetterQueue
from watchbot_cli.patience import begun

_HIDDEN_SECONDS = 60
"""How long a letter is out of sight after a command that was killed."""

_RENEWED_SECONDS = 20

_UNANSWERED_SECONDS = 3.0
"""How long the end of a command waits for the next answer of SQS when it gives letters back."""


class Borrowing:
    """What is out of sight because of us: renewed while the ``with`` block lasts, given back at its end.

    Giving back, and renewing, may fail without harm: the letters come back by themselves within a minute.
    """

    def __init__(self, queue: LetterQueue) -> None:
        self._queue = queue
        self._lock = threading.Lock()
        self._handles: dict[str, str] = {}
        self._seen: set[str] = set()
        self._ended = threading.Event()
        self._crew = Crew(1 if queue.fifo else THREADS, "dead-letters")
        self._renewer = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Borrowing:
        self._renewer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._renewer.join(_UNANSWERED_SECONDS)
        self._hide_all(0)

    @property
    def count(self) -> int:
        """How many are out of sight because of us."""
        return len(self._handles)

    @property
    def seen(self) -> int:
        """How many were borrowed so far, also if they are deleted."""
        return len(self._seen)

    def take(self) -> list[Letter]:
        """Borrow up to ten that were not borrowed before; none when there are no more."""
        letters = self._queue.receive(_HIDDEN_SECONDS)
        with self._lock:
            # The newest handle is the one that counts.
            self._handles |= {letter.letter_id: letter.receipt_handle for letter in letters}
            new = [letter for letter in letters if letter.letter_id not in self._seen]
            self._seen |= {letter.letter_id for letter in new}
        return new

    def delete(self, letters: Sequence[Letter]) -> Handled:
        """Delete borrowed letters."""
        handled = self._queue.delete(letters) if letters else Handled([])
        with self._lock:
            for letter in handled.done:
                self._handles.pop(letter.letter_id, None)
        return handled

    def each(self, handle: Callable[[list[Letter]], None]) -> None:
        """Borrow everything, and hand it over as it comes, in several threads unless order counts.

        A batch that is begun is finished, whatever happens: Ctrl-C, or an error in another thread.
        """

        def step() -> bool:
            letters = self.take()
            if letters:
                handle(letters)
            return bool(letters)

        self._crew.run(step)

    def stop(self) -> None:
        """Borrow nothing more."""
        self._crew.stopped.set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way; after an interruption something may be that SQS does not answer."""
        return self._crew.is_idle

    def _renew(self) -> None:
        while not self._ended.wait(_RENEWED_SECONDS):
            self._hide_all(_HIDDEN_SECONDS)

    def _hide_all(self, seconds: int) -> None:
        with self._lock:
            handles = [*self._handles.values()]
        tens = SimpleQueue[list[str]]()
        for start in range(0, len(handles), BATCH):
            tens.put(handles[start : start + BATCH])
        count, answered = tens.qsize(), SimpleQueue[None]()
        for _ in range(min(count, THREADS)):
            begun(lambda: self._hide(tens, seconds, answered))
        with contextlib.suppress(Empty):
            for _ in range(count):
                answered.get(timeout=_UNANSWERED_SECONDS)

    def _hide(self, tens: SimpleQueue[list[str]], seconds: int, answered: SimpleQueue[None]) -> None:
        with contextlib.suppress(Empty):
            while True:
                handles = tens.get_nowait()
                with contextlib.suppress(BotoCoreError, ClientError):
                    self._queue.hide(handles, seconds)
                answered.put(None)
