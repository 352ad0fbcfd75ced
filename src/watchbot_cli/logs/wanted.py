"""Which lines of a log are wanted."""

from __future__ import annotations

import dataclasses
from typing import Any

from watchbot.contract import LOG_STREAM_PREFIX, WATCHER_CONTAINER, WORKER_CONTAINER, Event, Isolation, Outcome
from watchbot.task_log import stream_of
from watchbot_cli.errors import UsageError
from watchbot_cli.logs.line import Line


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """Lines with all of these words, of this stream or of those whose names start so; of the watchers' events these.

    CloudWatch looks for words alone: whether a watcher says them as an event, and with which outcome, is seen here.
    """

    words: tuple[str, ...] = ()
    stream: str | None = None
    prefix: str | None = None
    event: Event | None = None
    outcomes: frozenset[Outcome] = frozenset()

    def request(self) -> dict[str, Any]:
        """Give what FilterLogEvents is to filter by.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
        """
        words = (*self.words, *(() if self.event is None else (self.event.value,)))
        asked: dict[str, Any] = {"filterPattern": " ".join(f'"{word}"' for word in words)} if words else {}
        if self.stream is not None:
            asked["logStreamNames"] = [self.stream]
        if self.prefix is not None:
            asked["logStreamNamePrefix"] = self.prefix
        return asked

    def has(self, line: Line) -> bool:
        """Whether a line that CloudWatch found is wanted."""
        if self.event is None:
            return not line.holds_metrics
        entry = line.entry
        if entry is None or entry.event != self.event or not line.stream.startswith(self.prefix or ""):
            return False
        return not self.outcomes or entry.fields.get("outcome") in self.outcomes


def everything() -> Wanted:
    """Want all lines of all containers."""
    return Wanted()


def about(message_id: str) -> Wanted:
    """Want the lines that say a message's id."""
    if not message_id or any(character.isspace() or character in '"\\' for character in message_id):
        raise UsageError(f"--message-id must be an id as SQS gives it, such as 7b2c8a4e-…, got {message_id!r}")
    return Wanted(words=(message_id,))


def finished(isolation: Isolation, outcomes: frozenset[Outcome]) -> Wanted:
    """Want the ends of jobs that came to one of these outcomes."""
    return Wanted(prefix=watchers_prefix(isolation), event=Event.JOB_FINISHED, outcomes=outcomes)


def starts_of_tasks(message_id: str) -> Wanted:
    """Want what tells which tasks a message had; only Isolation.TASK has such lines."""
    prefix = watchers_prefix(Isolation.TASK)
    return Wanted(words=(message_id,), prefix=prefix, event=Event.TASK_STARTED)


def of_task(task_arn: str) -> Wanted:
    """Want everything that the worker of a task wrote."""
    return Wanted(stream=stream_of(task_arn))


def watchers_prefix(isolation: Isolation) -> str:
    """Say how the streams of watchers are called: with PROCESS a watcher is in the worker's container."""
    container = WATCHER_CONTAINER if isolation is Isolation.TASK else WORKER_CONTAINER
    return f"{LOG_STREAM_PREFIX}/{container}/"
