"""Reads made at the same time, each of which may fail, or be late, for itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import Any

from watchbot_cli.errors import CommandError
from watchbot_cli.patience import begun, within
from watchbot_cli.refusal import refusal_of
from watchbot_cli.status.snapshot import Unreadable

_SECONDS = 5.0
"""How long a part is waited for: CloudWatch that does not answer is a part of many an incident, and hides no queue."""


class Together:
    """Makes reads again and again; one that is late goes on, and is no second time under way.

    The threads die with the program: whoever presses Ctrl-C waits for no answer of AWS.
    """

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._under_way: dict[str, tuple[float, Future[Any]]] = {}

    def __call__(self, reads: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        """Give what each read gives, or the :class:`Unreadable` in its place; any other error is raised here."""
        now = time.monotonic()
        for name, read in reads.items():
            if name not in self._under_way:
                self._under_way[name] = (now, begun(lambda read=read: or_unreadable(read)))  # type: ignore[misc]
        for began_at, future in self._under_way.values():
            left = began_at + self._seconds - time.monotonic()
            wait([future], max(0.0, left), return_when=FIRST_EXCEPTION)
        return {name: self._answer(name) for name in reads}

    def _answer(self, name: str) -> Any:
        _, future = self._under_way[name]
        if not future.done():
            return late(self._seconds)
        del self._under_way[name]
        return future.result()


def together(reads: Mapping[str, Callable[[], Any]], seconds: float = _SECONDS) -> dict[str, Any]:
    """Make the reads once, as :class:`Together` does."""
    return Together(seconds)(reads)


def or_unreadable(read: Callable[[], Any], seconds: float | None = None) -> Any:
    """Give what it gives, or why AWS did not, in time if there is a limit to that."""
    try:
        return read() if seconds is None else within(seconds, read)
    except TimeoutError:
        return late(seconds or 0.0)
    except Exception as error:
        refusal = error if isinstance(error, CommandError) else refusal_of(error)
        if refusal is None:
            raise
        return Unreadable(str(refusal))


def late(seconds: float) -> Unreadable:
    """Say of a part that AWS has not answered."""
    return Unreadable(f"AWS has not answered in {seconds:g} s")
