"""A job that has ended, as a watcher's log tells of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from watchbot.contract import Event
from watchbot_cli.logs.line import Line
from watchbot_cli.logs.printing import time_of


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """How one run of a message's job ended.

    ``watcher`` is the id of the ECS task that the watcher was, ``task`` of the one that the worker was or ran in; None
    where that is not known.
    """

    message_id: str
    ended_at_ms: int
    outcome: str
    duration_seconds: float
    exit_code: int | None
    receive_count: int | None
    reason: str | None
    watcher: str
    task: str | None

    @classmethod
    def of(cls, line: Line) -> Finished | None:
        """Read a line; None when it does not say that a job has ended."""
        entry = line.entry
        if entry is None or entry.event != Event.JOB_FINISHED or entry.message_id is None:
            return None
        fields = entry.fields
        watcher = line.stream.rpartition("/")[2]
        return cls(
            entry.message_id,
            line.at,
            str(fields.get("outcome")),
            float(fields.get("duration_seconds") or 0),
            fields.get("exit_code"),
            fields.get("receive_count"),
            fields.get("reason"),
            watcher,
            watcher,
        )

    @property
    def started_at_ms(self) -> int:
        """When its worker began."""
        return self.ended_at_ms - round(self.duration_seconds * 1000)

    def document(self) -> dict[str, Any]:
        """Give it as JSON would hold it."""
        return {
            "message_id": self.message_id,
            "started_at": time_of(self.started_at_ms),
            "ended_at": time_of(self.ended_at_ms),
            "outcome": self.outcome,
            "duration_seconds": self.duration_seconds,
            "exit_code": self.exit_code,
            "receive_count": self.receive_count,
            "reason": self.reason,
            "watcher": self.watcher,
            "task": self.task,
        }
