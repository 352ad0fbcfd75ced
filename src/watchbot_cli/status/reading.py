"""From AWS to a snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from watchbot.contract import Isolation
from watchbot.task_lookup import family_of
from watchbot_cli.session import Session
from watchbot_cli.stack import Found, read_state
from watchbot_cli.stack_state import StackState
from watchbot_cli.status.alarm_state import alarm_names, read_alarms
from watchbot_cli.status.ecs_state import read_watchers, read_worker_tasks
from watchbot_cli.status.kept import Kept
from watchbot_cli.status.metric_data import read_metrics
from watchbot_cli.status.queue_state import read_depth
from watchbot_cli.status.snapshot import Snapshot
from watchbot_cli.status.together import Together

_MINUTE_SECONDS = 60
"""How often the names of alarms are read, and metrics: CloudWatch has them by the minute, and charges for each call."""


class Reading:
    """Reads a service as often as it is asked to."""

    def __init__(self, session: Session, found: Found) -> None:
        self._service = found.service
        self._together = Together()
        stack = found.state.name
        self._last_state = found.state
        self._region = session.region
        self._sqs: Any = session.client("sqs")
        self._ecs: Any = session.client("ecs")
        self._autoscaling: Any = session.client("application-autoscaling")
        self._cloudwatch: Any = session.client("cloudwatch")
        cloudformation = session.client("cloudformation")
        self._names = Kept(lambda: alarm_names(cloudformation, stack), _MINUTE_SECONDS, time.monotonic)
        self._state = Kept(lambda: read_state(cloudformation, stack), _MINUTE_SECONDS, time.monotonic, found.state)
        self._metrics = Kept(self._read_metrics, _MINUTE_SECONDS, time.monotonic)

    def __call__(self) -> Snapshot:
        """Read all parts at the same time."""
        service = self._service
        parts = {"worker_tasks": None, **self._together(self._reads())}
        state = parts.pop("stack")
        if isinstance(state, StackState):
            self._last_state = state
        return Snapshot(
            service=service.service,
            isolation=service.isolation,
            region=self._region,
            read_at=datetime.now(UTC),
            progress_table=service.progress_table,
            stack=self._last_state,
            **parts,
        )

    def _reads(self) -> dict[str, Callable[[], Any]]:
        service = self._service
        reads: dict[str, Callable[[], Any]] = {
            "stack": self._state,
            "queue": lambda: read_depth(self._sqs, service.queue_url),
            "dead_letters": lambda: read_depth(self._sqs, service.dead_letter_queue_url),
            "watchers": lambda: read_watchers(self._ecs, self._autoscaling, service.cluster, service.ecs_service),
            "metrics": self._metrics,
            "alarms": lambda: read_alarms(self._cloudwatch, self._names(), service),
        }
        if service.isolation is Isolation.TASK:
            family = family_of(service.worker_task_definition)
            reads["worker_tasks"] = lambda: read_worker_tasks(self._ecs, service.cluster, family)
        return reads

    def _read_metrics(self) -> Any:
        return read_metrics(self._cloudwatch, self._service, datetime.now(UTC))
