"""A watcher whose parts each raise once: run as a program, because it is a subreaper and takes the process's signals.

``python -m tests.fault.torture MemoryError 3`` prints a JSON line for each part, whose third call has raised that.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.simulation.payloads import SimulatedPayloads
from tests.simulation.sqs import SimulatedSqs
from watchbot import health, lease, line_writer, listen, metrics, notifications, notifier, output, protection
from watchbot.contract import LogFormat, Settings
from watchbot.failure_report import Reporter
from watchbot.journal import Journal, parse_line
from watchbot.leftovers import Leftovers
from watchbot.line_writer import LineWriter
from watchbot.log_observer import LogObserver
from watchbot.metrics import Metrics
from watchbot.output import Output
from watchbot.payload_cleaner import PayloadCleaner
from watchbot.reaper import Reaper
from watchbot.scratch import ScratchSpace
from watchbot.sns import Notification
from watchbot.stop import Stop
from watchbot.tail import OutputTails, Tail
from watchbot.work_queue import WorkQueue
from watchbot.worker_environment import WorkerEnvironment
from watchbot.worker_log import WorkerLog
from watchbot.worker_process import WorkerProcess

JOBS = 8

_LISTEN: Any = listen
_NOTIFICATIONS: Any = notifications
_PATIENCE_SECONDS = 8

SCRIPT = """
echo "begins $Message"; (setsid sleep 100 &); printf 'no newline'; sleep 0.1; echo; echo "ends $Message"
[ "$Message" != 3 ] || exit 3
"""

PARTS: tuple[tuple[type, str], ...] = (
    (LogObserver, "__call__"),
    (Metrics, "__call__"),
    (protection.Protection, "__call__"),
    (notifier.Notifier, "__call__"),
    (PayloadCleaner, "__call__"),
    (Metrics, "add"),
    (Metrics, "flush"),
    (Metrics, "_add_state"),
    (Journal, "event"),
    (Journal, "worker_line"),
    (Journal, "_write_event"),
    (LineWriter, "__call__"),
    (LineWriter, "worker_line"),
    (LineWriter, "_write_held"),
    (LineWriter, "_wait"),
    (Output, "_read"),
    (Output, "_take"),
    (Output, "_flush"),
    (Output, "finish"),
    (Output, "_close"),
    (WorkerLog, "allows"),
    (WorkerLog, "line"),
    (WorkerLog, "dropped"),
    (Tail, "add"),
    (Tail, "lines"),
    (OutputTails, "take"),
    (Reaper, "reap"),
    (Reaper, "_everyone"),
    (Leftovers, "add"),
    (Leftovers, "kill"),
    (Leftovers, "_orphans"),
    (WorkerProcess, "_exited"),
    (ScratchSpace, "take_back"),
    (health.Health, "_touch"),
    (protection.Protection, "_ask"),
    (notifier.Notifier, "_may_send"),
    (notifier.Notifier, "_send"),
    (notifier.Notifier, "finish"),
    (Reporter, "of"),
    (PayloadCleaner, "_clean"),
    (PayloadCleaner, "finish"),
    (lease.LeaseKeeper, "_heartbeat"),
    (WorkQueue, "extend"),
)
"""Observers, sinks, readers, callbacks, timers and what runs beside the work; each with what of it is called."""


_REPORTS = ("watcher.bug", "notification.failed")
"""A notification that fails says so itself."""


class _Raising:
    """Raises once, at the call of this number of a part."""

    def __init__(self, owner: type, name: str, error: type[Exception], call: int) -> None:
        self._owner = owner
        self._name = name
        self._error = error
        self._left = call
        self.raised = False

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        original: Callable[..., Any] = getattr(self._owner, self._name)

        def once(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                self.raised = True
                raise self._error("torture")
            return original(*arguments, **named)

        setattr(self._owner, self._name, once)
        try:
            yield
        finally:
            setattr(self._owner, self._name, original)


class _Queue(SimulatedSqs):
    """The simulated queue as what ``listen`` closes at its end."""

    def close(self) -> None:
        """Hold nothing."""


class _Quiet:
    """An ECS agent and a topic that take everything."""

    async def protect(self, minutes: int | None) -> None:
        """Protect."""

    async def publish(self, notification: Notification) -> None:
        """Publish."""


def _settings() -> Settings:
    return Settings(
        queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
        workers=3,
        visibility_timeout_seconds=3,
        backoff_base=1,
        drain_seconds=5,
        log_format=LogFormat.JSON,
        log_rate_bytes=1_000_000,
        payload_bucket="payloads",
        notification_topic_arn="arn:aws:sns:us-east-1:123456789012:failures",
    )


async def _work(log: LineWriter, scratch: str) -> tuple[_Queue, int, float]:
    """Work until all is settled, then stop; return the queue, the exit code and how long the stop took."""
    settings, queue = _settings(), _Queue(visibility_seconds=3)
    stop, stopped_at = Stop(), 0.0
    _LISTEN._sqs = lambda *_: queue
    _LISTEN._payloads = lambda *_: SimulatedPayloads()
    _LISTEN.Stop = lambda: stop
    queue.poll_seconds = 0.3
    queue.put(*map(str, range(JOBS)))

    async def stop_when_done() -> None:
        nonlocal stopped_at
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while queue.stored:
                    queue._arrived.clear()
                    await queue._arrived.wait()
                await asyncio.sleep(0.2)
        stopped_at = time.monotonic()
        stop.request("all is done")

    watching = asyncio.create_task(stop_when_done())
    container = WorkerEnvironment({b"PATH": os.environb[b"PATH"]})
    own = {"ECS_AGENT_URI": "http://127.0.0.1:1", "AWS_DEFAULT_REGION": "us-east-1"}
    lines = Journal(log, settings.log_format, time.time, log.worker_line)
    counted = Metrics(settings.service, log, time.time)
    command = ["sh", "-c", SCRIPT]
    exit_code = await listen._listen(settings, command, own, container, ScratchSpace(scratch), lines, counted)
    await watching
    return queue, exit_code, time.monotonic() - stopped_at


def _torture(owner: type, name: str, error: type[Exception], call: int) -> dict[str, Any]:
    raising = _Raising(owner, name, error, call)
    with tempfile.TemporaryDirectory() as scratch:
        _LISTEN.HEALTH_FILE = str(Path(scratch, "health"))
        file = Path(scratch, "log")
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with raising():
            log = LineWriter(descriptor)
            queue, exit_code, seconds = asyncio.run(_work(log, scratch))
            log.close(5)
        os.close(descriptor)
        entries = [entry for entry in map(parse_line, file.read_text().splitlines()) if entry is not None]
    finished = [entry for entry in entries if entry.event == "job.finished"]
    return {
        "part": f"{owner.__name__}.{name}",
        "call": call,
        "raised": raising.raised,
        "left": len(queue.stored),
        "finished": len({entry.message_id for entry in finished}),
        "outcomes": sorted(str(entry.fields["outcome"]) for entry in finished),
        "exit_code": exit_code,
        "drain_seconds": round(seconds, 1),
        "reported": "torture" in "".join(entry.line for entry in entries if entry.event in _REPORTS),
        "last": [entry.event for entry in entries if entry.event is not None][-1],
    }


def main(error: str, call: int) -> None:
    """Torture each part."""
    kind = getattr(builtins, error)
    _LISTEN._has_scratch = lambda: True
    _LISTEN.SCRATCH_DIRECTORY = tempfile.gettempdir()
    _LISTEN.EcsAgent = lambda _: _Quiet()
    _NOTIFICATIONS.BotoSns = lambda *_: _Quiet()
    metrics._FLUSH_SECONDS = health._EVERY_SECONDS = protection._LOOK_SECONDS = notifier._LOOK_SECONDS = 0.05
    metrics._STATE_SECONDS = output._PATIENCE_SECONDS = 0.05
    line_writer._RETRY_SECONDS = 0.05
    for owner, name in PARTS:
        sys.stdout.write(json.dumps(_torture(owner, name, kind, call)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
