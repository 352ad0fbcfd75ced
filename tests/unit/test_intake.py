"""How receiving pauses, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from botocore.exceptions import CredentialRetrievalError

from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.notice import QueueTrouble
from watchbot.sqs import SqsError, sqs_error


def _receives(sqs: SimulatedSqs) -> list[float]:
    return [at for name, at, _ in sqs.calls if name == "receive"]


def _gaps(times: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def test_the_first_failure_is_followed_by_a_pause_too_and_pauses_double_up_to_a_minute() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.fault = lambda name, number: SqsError("no") if name == "receive" else None
        watch = Watch(sqs, SimulatedRunner(lambda job: Work()))
        await watch.after(300)
        await watch.stopped()
        return sqs

    gaps = _gaps(_receives(run_virtual(scenario())))
    longest = [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(gaps) >= 6
    assert [gap for gap, most in zip(gaps, longest, strict=False) if not most / 2 <= gap <= most] == []


def test_polls_that_fail_together_are_one_failure() -> None:
    """Eight open polls cut off in one moment must not make a pause of a minute out of it."""

    async def scenario() -> tuple[int, float]:
        sqs = SimulatedSqs(latency_seconds=0.5)
        sqs.put(*["x"] * 10_000)
        runner = SimulatedRunner(lambda job: Work(seconds=0.1), workers=80)
        watch = Watch(sqs, runner, max_polls=8)
        await watch.after(10)
        sqs.fault = lambda name, number: SqsError("cut off") if name == "receive" else None
        await watch.after(0.6)
        cut_off = len(watch.told(QueueTrouble))
        await watch.after(0.6)
        sqs.fault = lambda name, number: None
        healed_at = 11.2
        await watch.after(60)
        resumed_at = min(run.began_at for run in runner.ran if run.began_at > healed_at)
        await watch.stopped()
        return cut_off, resumed_at - healed_at

    cut_off, idle_seconds = run_virtual(scenario())
    assert cut_off >= 6
    assert idle_seconds < 5


def test_receives_that_come_back_empty_at_once_are_told_and_are_no_hot_loop() -> None:
    class Hasty(SimulatedSqs):
        async def receive(self, limit: int) -> list[Mapping[str, Any]]:
            await self._call("receive", limit)
            assert self.count("receive") < 1000, "a loop in which no time passes would never end"
            return self._take(limit)

    async def scenario() -> tuple[SimulatedSqs, int]:
        sqs = Hasty()
        watch = Watch(sqs, SimulatedRunner(lambda job: Work()))
        await watch.after(60)
        sqs.put("x")
        await watch.after(5)
        told = len(watch.told(QueueTrouble))
        await watch.stopped()
        assert len(sqs.deleted) == 1
        return sqs, told

    sqs, told = run_virtual(scenario())
    assert 60 <= len(_receives(sqs)) <= 135
    assert told > 0


def test_credentials_that_never_come_end_the_watcher_after_ten_minutes_as_failed() -> None:
    refused = sqs_error(CredentialRetrievalError(provider="container-role", error_msg="500"), "https://queue")

    async def scenario() -> tuple[int, float, int]:
        sqs = SimulatedSqs()
        sqs.fault = lambda name, number: refused
        watch = Watch(sqs, SimulatedRunner(lambda job: Work()))
        exit_code = await watch.ended()
        return exit_code, asyncio.get_running_loop().time(), len(watch.told(QueueTrouble))

    exit_code, ended_at, told = run_virtual(scenario())
    assert exit_code == 1
    assert 600 <= ended_at <= 720
    assert told >= 10
