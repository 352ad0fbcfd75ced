"""Workers of a job that is nearly done, whose calls are made one at a time, and what holds of its reduce message."""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterable
from typing import Any

import pytest
from bench.progress.dynamodb import SimulatedDynamoDb

from tests.simulation.interleaving import Caller, Fault, Stepped, kill
from tests.unit.published import TOPIC
from watchbot.progress import NotPublishedError, Part, Progress, TableError
from watchbot.progress import job as layout
from watchbot.progress.table import Table
from watchbot.progress.topic import Topic

WRITES = {"update_item", "publish_batch"}
"""Of a worker, four: that its part is done, that its shard is, the reduce message, and that it was sent."""


class _Sns:
    def __init__(self) -> None:
        self.senders: set[threading.Thread] = set()

    def publish_batch(self, **_: Any) -> dict[str, Any]:
        self.senders.add(threading.current_thread())
        return {}


class ReducingWorkers:
    """Every worker is a process of its own, and may die before any call.

    A part's message comes back until a worker of that part has ended well; then it is ``deleted``.
    """

    def __init__(self, total: int, shards: int, left: Iterable[int]) -> None:
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(layout, "SHARDS", shards)
        self._table = Table(Stepped(SimulatedDynamoDb()), "progress", wait=lambda _: None)
        self._sns = _Sns()
        self._topic = Topic(Stepped(self._sns), TOPIC, wait=lambda _: None)
        self._part_of: dict[threading.Thread, int] = {}
        self._beside_another: collections.Counter[int] = collections.Counter()
        self._lost_after_sending = 0
        self.parts = range(1, total + 1)
        self.deleted = {*self.parts}.difference(left)
        self.running: dict[Caller, int] = {}
        progress = Progress(self._table)
        progress.set_total("job", total)
        for part in self.deleted:
            progress.complete_part("job", part)

    @property
    def left(self) -> list[int]:
        """The parts whose messages come back."""
        return [part for part in self.parts if part not in self.deleted]

    def start(self, part: int) -> Caller:
        """Have a worker receive the message of a part, or a copy of it."""

        def work() -> bool:
            with Part({"jobid": "job", "partid": part}, progress=Progress(self._table), topic=self._topic):
                return True

        self._beside_another[part] += part in self.running.values()
        caller = Caller(work)
        self.running[caller] = self._part_of[caller] = part
        return caller

    def step(self, caller: Caller, fault: Fault) -> None:
        """Make the call that a worker waits for."""
        caller.step(fault)
        if not caller.ended:
            return
        part = self.running.pop(caller)
        if caller.answer:
            self.deleted.add(part)
        else:
            assert caller.dead or isinstance(caller.error, (TableError, NotPublishedError))
            self._lost_after_sending += caller in self._sns.senders

    def go_on(self, caller: Caller) -> None:
        """Go on until the next write waits to be made, or to the end."""
        while not caller.ended:
            self.step(caller, Fault.NONE)
            if caller.waits_for in WRITES:
                return

    def finish(self, caller: Caller, fault: Fault = Fault.NONE) -> None:
        """Go on to the end."""
        while not caller.ended:
            self.step(caller, fault)

    def check(self) -> None:
        """One part sends, and again only when its worker cannot know that another has."""
        parts = {self._part_of[sender] for sender in self._sns.senders}
        assert len(parts) <= 1
        beside = sum(self._beside_another[part] for part in parts)
        assert len(self._sns.senders) <= 1 + self._lost_after_sending + beside

    def end(self) -> None:
        """Let all that are under way end, and all messages come back that do; the reduce message was sent then."""
        for caller in list(self.running):
            self.finish(caller)
        for part in self.left:
            self.finish(self.start(part))
        self.check()
        assert self._sns.senders
        assert Progress(self._table).status("job").reduce_sent

    def close(self) -> None:
        """Leave nothing behind."""
        kill(self.running)
        self._patch.undo()
