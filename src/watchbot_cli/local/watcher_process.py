"""A real watcher, run as a process beside us."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue

from watchbot.contract import PREFIX, Event
from watchbot_cli.errors import UsageError

_KEPT_LINES = 10


def check_command(service: str, command: list[str], directory: Path | None, environment: Mapping[str, str]) -> None:
    """Raise :class:`UsageError` when the command is not there, before anything is started or sent."""
    program, path = command[0], environment.get("PATH", os.defpath)
    where = Path.cwd() if directory is None else directory
    found = (where / program).exists() if os.sep in program else shutil.which(program, path=path) is not None
    if not found:
        looked = f"from {where}" if os.sep in program else f"in PATH {path!r}"
        raise UsageError(f"the command of {service} is not on this machine: {program} {looked}")


def worker_environment(variables: Mapping[str, str], emulator: Mapping[str, str]) -> dict[str, str]:
    """Build a watcher's environment: this shell's, without its AWS account and without settings of other watchers."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", PREFIX))}
    return {**own, **emulator, **variables}


class WatcherProcess:
    """Runs until it is stopped; every line it writes goes to ``lines``, and None when it has ended."""

    def __init__(
        self,
        service: str,
        command: list[str],
        directory: Path | None,
        environment: Mapping[str, str],
        lines: SimpleQueue[str | None],
    ) -> None:
        self.service = service
        self.last_lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._draining = threading.Event()
        self._hurried = False
        self._lines = lines
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "watchbot_cli.local.tethered", "watchbot", "listen", "--", *command],
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C in a terminal is ours to pass on, after what is sent to all of a terminal's processes.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """How it has ended; None while it runs."""
        return self._process.poll()

    def drain(self) -> None:
        """Ask it to finish what runs and to receive nothing more."""
        self._process.send_signal(signal.SIGTERM)

    def hurry(self) -> None:
        """Ask it, once it drains, to wait no longer; two signals before it hears the first would be one."""
        if self._draining.is_set() and not self._hurried:
            self._hurried = True
            self._process.send_signal(signal.SIGTERM)

    def let_go(self) -> None:
        """Have it end by itself soon, and with it its workers, which it would leave behind if it were killed."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def end(self) -> None:
        """Wait until it has ended, after it was let go of; harmless when it had ended before."""
        self._process.wait()
        self._reader.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        # Only a newline ends a line: a worker that writes a carriage return does not begin one of the watcher's.
        with io.TextIOWrapper(self._process.stdout, "utf-8", "replace", newline="\n") as lines:
            for line in lines:
                if Event.WATCHER_DRAINING in line:
                    self._draining.set()
                self.last_lines.append(line.rstrip("\n"))
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)
