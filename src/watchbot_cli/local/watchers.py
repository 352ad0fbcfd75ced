"""All watchers of a run: started together, heard together, stopped together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue

from watchbot.journal import Entry, parse_line
from watchbot_cli.errors import CommandError
from watchbot_cli.local.deployment import Deployed
from watchbot_cli.local.tally import Tally
from watchbot_cli.local.watcher_process import WatcherProcess, worker_environment

Show = Callable[[str, Entry | None], None]
"""Takes a line that a watcher wrote, and what it says if it is one of the watcher's log lines."""


class Watchers:
    """The running watchers of all services, and the tally of what they log."""

    def __init__(self, tally: Tally, show: Show) -> None:
        self._tally = tally
        self._show = show
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._processes: list[WatcherProcess] = []
        self._ended = 0

    @contextmanager
    def running(self, services: Sequence[Deployed], aws: Mapping[str, str]) -> Iterator[None]:
        """Start everything, and leave nothing running afterwards, whatever happens."""
        try:
            for service in services:
                environment = worker_environment(service.environment, aws)
                for _ in range(service.watchers):
                    process = WatcherProcess(service.name, service.command, service.directory, environment, self._lines)
                    self._processes.append(process)
            yield
        finally:
            for process in self._processes:
                process.let_go()
            for process in self._processes:
                process.end()

    def hear(self, seconds: float) -> None:
        """Count and show what is there, waiting this long for the first line.

        Raises :class:`CommandError` when a watcher has ended by itself.
        """
        self._take(seconds)
        for process in self._processes:
            if process.exit_code is not None:
                said = "\n".join(process.last_lines)
                raise CommandError(f"a watcher of {process.service} has ended with {process.exit_code}:\n{said}")

    def stop(self, is_hurried: Callable[[], bool]) -> None:
        """Let running jobs finish, and wait for nothing else; ``is_hurried`` says when to wait for nothing at all."""
        for process in self._processes:
            process.drain()
        while self._ended < len(self._processes):
            self._take(0.1)
            if self._tally.running == 0 or is_hurried():
                for process in self._processes:
                    process.hurry()

    def _take(self, seconds: float) -> None:
        try:
            line = self._lines.get(timeout=seconds)
            while True:
                if line is None:
                    self._ended += 1
                else:
                    entry = parse_line(line)
                    if entry is not None:
                        self._tally.add(entry)
                    self._show(line, entry)
                line = self._lines.get_nowait()
        except Empty:
            pass
