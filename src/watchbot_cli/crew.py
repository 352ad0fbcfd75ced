"""Threads that do one step of some work after the other, and finish what they began when they are told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, wait

from watchbot_cli.patience import begun

_PATIENCE_SECONDS = 3.0
"""How long an interruption waits for steps that are under way; a second one waits no longer."""


class Crew:
    """So many threads; ``stopped`` is set when no step is begun any more."""

    def __init__(self, count: int, name: str, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self.stopped = threading.Event()
        self._count = count
        self._name = name
        self._patience_seconds = patience_seconds
        self._left = threading.Condition()
        self._under_way = 0

    @property
    def is_idle(self) -> bool:
        """Whether no step is under way; after an interruption one may be that AWS does not answer."""
        return not self._under_way

    def run(self, step: Callable[[], bool]) -> None:
        """Do steps until each thread was told by one that there are no more; raises the first error of any of them.

        A step that is begun is finished, also when another thread has an error. Ctrl-C waits seconds for it: a call
        that AWS does not answer is left alone then, and dies with the program.
        """
        # The first step is under way before the last thread is: an interruption may come between.
        try:
            works = [begun(lambda: self._work(step), f"{self._name}-{number}") for number in range(self._count)]
            done, _ = wait(works, return_when=FIRST_EXCEPTION)
        except BaseException:
            self._stop_and_wait(self._patience_seconds)
            raise
        self._stop_and_wait(None)
        for work in done:
            work.result()

    def _work(self, step: Callable[[], bool]) -> None:
        goes_on = True
        while goes_on and self._begin():
            try:
                goes_on = step()
            finally:
                self._finish()

    def _begin(self) -> bool:
        with self._left:
            goes_on = not self.stopped.is_set()
            self._under_way += goes_on
            return goes_on

    def _finish(self) -> None:
        with self._left:
            self._under_way -= 1
            self._left.notify_all()

    def _stop_and_wait(self, seconds: float | None) -> None:
        with self._left:
            self.stopped.set()
            self._left.wait_for(lambda: not self._under_way, seconds)
