"""The real program, as it is started in a container: its signals, its log, its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from tests.acceptance.queue import Queues
from watchbot.journal import Entry, parse_line

_PATIENCE_SECONDS = 60


class Heard:
    """One line of the log and when it arrived."""

    def __init__(self, line: str) -> None:
        self.at = time.monotonic()
        self.line = line
        entry = parse_line(line)
        self.entry = entry if entry is not None else Entry("", None, None, {}, line)

    @property
    def fields(self) -> dict[str, Any]:
        return dict(self.entry.fields)

    @property
    def metrics(self) -> dict[str, Any]:
        """The line as an object of the embedded metric format; empty when it is something else."""
        return dict(json.loads(self.line)) if self.line.startswith('{"_aws"') else {}


class Program:
    """``python -m watchbot listen -- sh -c SCRIPT`` on a queue, killed at the end of the ``with`` block.

    ``through`` is a command that starts it: one that sets limits, say.
    """

    def __init__(self, queues: Queues, script: str, *, through: Sequence[str] = (), **settings: str) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            **queues.emulator.environment(),
            "WATCHBOT_QUEUE_URL": queues.url,
            "WATCHBOT_DEAD_LETTER_QUEUE_URL": queues.dead_letter_url,
            **{f"WATCHBOT_{name.upper()}": value for name, value in settings.items()},
        }
        self._command = [*through, sys.executable, "-P", "-m", "watchbot", "listen", "--", "sh", "-c", script]
        self._heard: list[Heard] = []
        self._changed = threading.Condition()

    def __enter__(self) -> Program:
        self._process = subprocess.Popen(
            self._command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def exit_code(self) -> int:
        """Wait for the end."""
        exit_code = self._process.wait(_PATIENCE_SECONDS)
        self._reader.join(_PATIENCE_SECONDS)
        return exit_code

    def events(self, name: str) -> list[Heard]:
        """The events of this name so far."""
        return [heard for heard in self._heard if heard.entry.event == name]

    def hears(self, name: str, count: int = 1) -> Heard:
        """Wait for an event, or for the n-th of its name."""
        with self._changed:
            found = self._changed.wait_for(lambda: len(self.events(name)) >= count, _PATIENCE_SECONDS)
            assert found, f"no {name} in:\n" + "\n".join(heard.line for heard in self._heard)
            return self.events(name)[count - 1]

    def says(self, line: str, count: int = 1) -> Heard:
        """Wait until a worker has written this line, or has written it so often."""

        def said() -> list[Heard]:
            return [heard for heard in self._heard if heard.entry.source == "worker" and heard.entry.line == line]

        with self._changed:
            found = self._changed.wait_for(lambda: len(said()) >= count, _PATIENCE_SECONDS)
            assert found, f"no worker said {line!r}:\n" + "\n".join(heard.line for heard in self._heard)
            return said()[count - 1]

    def metric(self, name: str) -> float:
        """What a metric has added up to so far; complete once the program has ended."""
        values = [heard.metrics.get(name, 0) for heard in self._heard]
        return sum(sum(value) if isinstance(value, list) else value for value in values)

    @property
    def log(self) -> list[str]:
        """Every line so far, whoever wrote it."""
        return [heard.line for heard in self._heard]

    @property
    def spoken(self) -> list[str]:
        """What workers have written so far."""
        return [heard.entry.line for heard in self._heard if heard.entry.source == "worker"]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._heard.append(Heard(line.rstrip("\n")))
                self._changed.notify_all()
