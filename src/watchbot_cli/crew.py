"""Threads that do one step of some work after the other, and finish what they began when they are told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait


class Crew:
    """So many threads; ``stopped`` is set when no step is begun any more."""

    def __init__(self, count: int, name: str) -> None:
        self.stopped = threading.Event()
        self._count = count
        self._name = name
        self._left = threading.Condition()
        self._under_way = 0

    def run(self, step: Callable[[], bool]) -> None:
        """Do steps until each thread was told by one that there are no more; raises the first error of any of them.

        A step that is begun is finished, whatever happens: Ctrl-C, or an error in another thread.
        """
        with ThreadPoolExecutor(self._count, self._name) as pool:
            # The first step is under way before the last thread is: an interruption may come between, and the pool
            # does not wait for a thread that it was just starting.
            try:
                works = [pool.submit(self._work, step) for _ in range(self._count)]
                done, _ = wait(works, return_when=FIRST_EXCEPTION)
            finally:
                self._stop_and_wait()
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
            begun = not self.stopped.is_set()
            self._under_way += begun
            return begun

    def _finish(self) -> None:
        with self._left:
            self._under_way -= 1
            self._left.notify_all()

    def _stop_and_wait(self) -> None:
        with self._left:
            self.stopped.set()
            self._left.wait_for(lambda: not self._under_way)
