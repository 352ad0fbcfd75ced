"""The proxy's process, and what it tells."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any


class NetworkError(Exception):
    """What was waited for has not come."""


@dataclasses.dataclass(frozen=True, slots=True)
class Traffic:
    """From the first messages handed out to the last delete: how long, and what was asked meanwhile."""

    seconds: float
    requests: Mapping[str, int]


class Network:
    """Leads to the embedded AWS while the ``with`` block runs; every answer is late by ``delay_seconds``."""

    def __init__(self, endpoint_url: str, delay_seconds: float, messages: int, limit_seconds: float) -> None:
        self._arguments = [endpoint_url.removeprefix("http://"), str(delay_seconds), str(messages)]
        self._limit_seconds = limit_seconds

    def __enter__(self) -> Network:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("proxy.py")), *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        # Its end is the end of what is read from it.
        self._limit = threading.Timer(self._limit_seconds, self._process.kill)
        self._limit.start()
        self.port: int = self._next("listening")["port"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limit.cancel()
        self._process.kill()
        self._process.communicate()

    def wait_for_first(self) -> None:
        """Return when the first messages have been handed out."""
        self._next("first")

    def wait_for_last(self) -> Traffic:
        """Return when the last message has been deleted."""
        done = self._next("done")
        return Traffic(done["seconds"], done["requests"])

    def _next(self, event: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise NetworkError(f"no {event!r} within {self._limit_seconds:g} seconds")
        found: dict[str, Any] = json.loads(line)
        if found["event"] != event:
            raise NetworkError(f"{found['event']!r} came before {event!r}")
        return found
