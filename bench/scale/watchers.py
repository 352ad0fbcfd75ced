"""The real watchers, as processes, and what they use."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from bench.scale.service import FAMILY
from bench.usage import cpu_seconds, peak_bytes, threads
from watchbot.contract import Event, Settings
from watchbot.journal import parse_line

_STOP_SECONDS = 60.0
_REGION = "us-east-1"
_TAKEN_UP = (Event.TASK_STARTED, Event.JOB_FINISHED)


class WatcherError(Exception):
    """A watcher has ended, or does not end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """What one watcher has used since it began."""

    cpu_seconds: float
    peak_bytes: int
    threads: int


class Watchers:
    """As many watchers of one queue, with as many slots each, while the ``with`` block runs."""

    def __init__(self, url: str, folder: Path, watchers: int, workers: int) -> None:
        self._settings = Settings(
            queue_url=f"{url}/000000000000/scale",
            endpoint_url=url,
            service="scale",
            workers=workers,
            watchers=watchers,
            cluster="scale",
            task_definition=f"arn:aws:ecs:{_REGION}:000000000000:task-definition/{FAMILY}",
            task_subnets=("subnet-0123456789abcdef0", "subnet-0fedcba9876543210"),
            task_security_groups=("sg-0123456789abcdef0",),
        )
        self._logs = [folder / f"watcher-{number}" for number in range(1, watchers + 1)]
        self._processes: list[subprocess.Popen[bytes]] = []
        self._read: dict[Path, int] = {}
        self._taken_up: set[str] = set()

    def __enter__(self) -> Watchers:
        self._processes = [self._start(log) for log in self._logs]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    @property
    def pids(self) -> list[int]:
        """Their process ids."""
        return [process.pid for process in self._processes]

    def usage(self) -> list[Usage]:
        """Read what each has used so far; raises :class:`WatcherError` when one has ended."""
        try:
            return [Usage(cpu_seconds(pid), peak_bytes(pid), threads(pid)) for pid in self.pids]
        except (FileNotFoundError, ValueError):
            said = [log.with_suffix(".stderr").read_text(errors="replace").strip()[-500:] for log in self._logs]
            raise WatcherError(f"a watcher has ended: {' '.join(said)}") from None

    def taken_up(self) -> set[str]:
        """Give the messages whose tasks they say to follow, launched or adopted, or to have found ended."""
        for log in self._logs:
            with log.open() as lines:
                lines.seek(self._read.get(log, 0))
                text = lines.read()
            whole, newline, _ = text.rpartition("\n")
            self._read[log] = self._read.get(log, 0) + len((whole + newline).encode())
            entries = [entry for line in whole.split("\n") if (entry := parse_line(line)) is not None]
            self._taken_up |= {entry.message_id for entry in entries if entry.message_id and entry.event in _TAKEN_UP}
        return self._taken_up

    def stop(self) -> Sequence[float]:
        """Have them drain, all at once; gives how long each took. Raises :class:`WatcherError` when one does not."""
        asked_at = time.monotonic()
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        took: dict[int, float] = {}
        while len(took) < len(self._processes):
            for process in self._processes:
                if process.pid not in took and process.poll() is not None:
                    took[process.pid] = time.monotonic() - asked_at
            if time.monotonic() - asked_at > _STOP_SECONDS:
                raise WatcherError(f"a watcher has not ended {_STOP_SECONDS:g} seconds after SIGTERM")
            time.sleep(0.05)
        if codes := [process.returncode for process in self._processes if process.returncode]:
            raise WatcherError(f"a watcher has ended with exit code {codes[0]}")
        return list(took.values())

    def _start(self, log: Path) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": log.name,
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_REGION": _REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **self._settings.to_env(),
        }
        with log.open("wb") as output, log.with_suffix(".stderr").open("wb") as errors:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "watchbot", "listen"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )
