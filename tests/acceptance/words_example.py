"""The example of a job of many parts, in its three languages, with watchers that can be lost."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import re
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

from watchbot.journal import Entry, parse_line
from watchbot.progress import Progress
from watchbot.progress.status import Status
from watchbot.progress.table import Table
from watchbot_cli.assembly import synthesise
from watchbot_cli.local.deployment import Deployed, deploy
from watchbot_cli.local.emulator import Emulator
from watchbot_cli.local.service import find_services
from watchbot_cli.local.watcher_process import WatcherProcess, worker_environment

EXAMPLE = Path(__file__).parents[2] / "examples" / "map-reduce"
COMMANDS = {
    "python": [sys.executable, "words.py"],
    "bash": ["bash", "words.sh"],
    "node": [os.environ["JSII_NODE"], "words.mjs"],
}
LANGUAGES = tuple(COMMANDS)
_LEFT_OUT = {"site-packages", "dist-packages", "test", "tests"}
_PATIENCE_SECONDS = 60


def plain_count(library: Path) -> str:
    """Count what the example counts, one file after the other."""
    words: collections.Counter[str] = collections.Counter()
    for path in library_files(library):
        words.update(re.findall("[a-z]+", path.read_bytes().decode("latin-1").translate(_LOWER)))
    return "".join(f"{times} {word}\n" for word, times in sorted(words.items(), key=lambda item: (-item[1], item[0])))


_LOWER = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}


def library_files(library: Path) -> list[Path]:
    found = [
        Path(folder) / name
        for folder, _, names in os.walk(library)
        for name in names
        if name.endswith(".py") and not _LEFT_OUT & {*Path(folder).relative_to(library).parts}
    ]
    return [path for path in found if not path.is_symlink()]


class Words:
    """The example's services in the embedded AWS; ``settings`` are of their watchers."""

    def __init__(self, emulator: Emulator, folder: Path, **settings: str) -> None:
        self.results = folder / "results"
        self._emulator = emulator
        self._settings = {f"WATCHBOT_{name.upper()}": value for name, value in settings.items()}
        os.environ["WORDS_RESULTS"] = str(self.results)
        try:
            app = shlex.join([sys.executable, str(EXAMPLE / "app.py")])
            assembly = synthesise(app, folder / "cdk.out")
        finally:
            del os.environ["WORDS_RESULTS"]
        deployed = deploy(find_services(assembly, None), assembly, emulator)
        self._services = {service.name.rpartition("-")[2]: service for service in deployed}

    def service(self, language: str) -> WordsService:
        return WordsService(self._services[language], self._emulator, self.results / language, self._settings)


class WordsService:
    """One language's service."""

    def __init__(self, service: Deployed, emulator: Emulator, results: Path, settings: dict[str, str]) -> None:
        self._service = service
        self._emulator = emulator
        self._results = results
        own = worker_environment(service.environment, emulator.environment())
        path = f"{Path(os.environ['JSII_NODE']).parent}{os.pathsep}{own['PATH']}"
        self._environment = {**own, **settings, "PATH": path}

    def start(self, library: Path, files_per_part: int) -> None:
        self._emulator.client("sns").publish(
            TopicArn=self._service.topic_arn,
            Subject="start-job",
            Message=json.dumps({"library": str(library), "files_per_part": files_per_part}),
        )

    def watcher(self) -> Watcher:
        return Watcher(self._service, self._environment)

    def finishes(self) -> None:
        """Wait until the queue is empty: whoever sends a message has one until it was sent."""
        sqs, pause = self._emulator.client("sqs"), threading.Event()
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            left = sqs.get_queue_attributes(QueueUrl=self._service.queue_url, AttributeNames=names)["Attributes"]
            if not any(map(int, left.values())):
                return
            assert time.monotonic() < until, left
            pause.wait(0.1)

    @property
    def results(self) -> dict[str, str]:
        """The words of each job by its id."""
        return {folder.name: (folder / "words").read_text() for folder in self._results.iterdir()}

    def status(self, job_id: str) -> Status:
        name = self._service.environment["WATCHBOT_PROGRESS_TABLE"].rpartition("/")[2]
        return Progress(Table(self._emulator.client("dynamodb"), name)).status(job_id)


class Watcher:
    """A watcher of the service while the ``with`` block runs, with all of its lines; it is lost at the end."""

    def __init__(self, service: Deployed, environment: dict[str, str]) -> None:
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._process = WatcherProcess(service.name, service.command, service.directory, environment, self._lines)
        self.heard: list[Entry] = []

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it and its workers, as when their container is lost."""
        pid = self._process._process.pid
        os.kill(pid, signal.SIGSTOP)
        for one in (*_descendants(pid), pid):
            with contextlib.suppress(ProcessLookupError):  # what a worker started may have ended meanwhile
                os.kill(one, signal.SIGKILL)
        self._process.let_go()
        self._process.end()
        while (line := self._lines.get(timeout=_PATIENCE_SECONDS)) is not None:
            self._take(line)

    def hears(self, text: str, count: int = 1) -> None:
        """Wait for the n-th line with this text, a worker's or the watcher's."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while sum(text in (entry.event or entry.line) for entry in self.heard) < count:
            line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            assert line is not None, [entry.line for entry in self.heard]
            self._take(line)

    def _take(self, line: str) -> None:
        entry = parse_line(line)
        self.heard += [entry] if entry is not None else []


def _descendants(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return
    for child in map(int, children):
        yield from _descendants(child)
        yield child
