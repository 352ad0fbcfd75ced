"""The operations of one account: who asks, whether it may, and the answer."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bench.scale.cluster import Cluster, Life
from bench.scale.ledger import Ledger
from bench.scale.limits import Limits
from bench.scale.queue import Queue, wait_seconds
from bench.scale.refusal import Refusal, throttled
from watchbot.contract import WORKER_CONTAINER
from watchbot.task_request import started_by

FAMILY = "scale"

Request = Mapping[str, Any]
Operation = Callable[[Request], bytes | Awaitable[bytes]]


class Service:
    """An ECS cluster and an SQS queue, with the limits of their account, and what the bench itself asks for."""

    def __init__(self, life: Life, seed: int) -> None:
        self._limits = Limits(time.monotonic)
        self._ledger = Ledger()
        self._cluster = Cluster(life, random.Random(seed), time.time)
        self._queue = Queue(time.time, self._deleted)
        self._polls: dict[asyncio.Future[None], None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._operations: dict[str, Operation] = {
            "RunTask": self._cluster.run_task,
            "StopTask": self._cluster.stop_task,
            "DescribeTasks": self._cluster.describe_tasks,
            "ListTasks": self._cluster.list_tasks,
            "ReceiveMessage": self._receive,
            "DeleteMessageBatch": self._queue.delete_batch,
            "ChangeMessageVisibilityBatch": self._change_visibility,
            "Fill": self._fill,
            "Adopt": self._adopt,
            "Report": self._report,
        }

    async def answer(self, client: str, operation: str, request: Request) -> bytes:
        """Do what is asked; raises :class:`Refusal`."""
        allowed = self._limits.allow(operation)
        self._ledger.asked(client, operation, time.time(), throttled=not allowed)
        if not allowed:
            raise throttled()
        do = self._operations.get(operation)
        if do is None:
            raise Refusal("UnknownOperationException", f"there is no {operation} here")
        answer = do(request)
        return answer if isinstance(answer, bytes) else await answer

    async def _receive(self, request: Request) -> bytes:
        until = time.time() + wait_seconds(request)
        while (taken := self._queue.receive(request)) is None and time.time() < until:
            poll = asyncio.get_running_loop().create_future()
            self._polls[poll] = None
            self._wake_at(self._queue.changes_at)
            try:
                async with asyncio.timeout(until - time.time()):
                    await poll
            except TimeoutError:
                del self._polls[poll]
        return taken or b"{}"

    def _wake_at(self, at: float | None) -> None:
        """See to it that polls look again when messages come back."""
        if at is None or self._timer is not None:
            return
        self._timer = asyncio.get_running_loop().call_later(max(0.01, at - time.time()), self._wake)

    def _wake(self) -> None:
        self._timer = None
        polls, self._polls = self._polls, {}
        for poll in polls:
            if not poll.done():
                poll.set_result(None)

    def _change_visibility(self, request: Request) -> bytes:
        answer = self._queue.change_visibility_batch(request)
        if self._polls and any(not entry["VisibilityTimeout"] for entry in request["Entries"]):
            self._wake()
        return answer

    def _fill(self, request: Request) -> bytes:
        ids = self._queue.put(request["count"])
        self._wake()
        return json.dumps({"ids": ids}).encode()

    def _adopt(self, request: Request) -> bytes:
        ids = self._queue.put(request["count"], receives=1)
        for message_id in ids:
            variables = [{"name": "MessageId", "value": message_id}, {"name": "Message", "value": "x" * 300}]
            overrides = {"containerOverrides": [{"name": WORKER_CONTAINER, "environment": variables}]}
            self._cluster.adopt(started_by(message_id), FAMILY, overrides)
        self._wake()
        return json.dumps({"ids": ids}).encode()

    def _report(self, request: Request) -> bytes:
        report = self._ledger.report(request["since"])
        counts = {"left": self._queue.left, "in_flight": self._queue.in_flight, "alive": self._cluster.alive}
        return json.dumps({**report, **counts, "twice_at_once": self._cluster.twice_at_once}).encode()

    def _deleted(self, message_id: str) -> None:
        self._ledger.deleted(self._cluster.tasks_of(started_by(message_id)), time.time())
