"""A message that can never start holds no slot and pauses nothing; a start that the service prevents is waited for."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.payloads import SimulatedPayloads
from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Outcome, Settings
from watchbot.ecs import EcsError
from watchbot.job import Job
from watchbot.local_damage import LocalDamage
from watchbot.notice import Draining, JobFinished, Paused, Resumed, StartFailed, StartOverdue
from watchbot.result import Result, StartFault
from watchbot.runner import Runner

MINUTES = 60.0
SETTINGS = Settings(
    queue_url="https://queue",
    dead_letter_queue_url="https://dead",
    workers=4,
    cluster="cluster",
    task_definition="family",
)


def _unstartable(fault: StartFault) -> Work:
    return Work(does_not_start="kms:Decrypt denied", fault=fault)


def _script(fault: StartFault, broken_until: float = 1e9) -> Callable[[Job], Work]:
    def work(job: Job) -> Work:
        is_broken = (job.text or "").startswith("poison") and asyncio.get_running_loop().time() < broken_until
        return _unstartable(fault) if is_broken else Work(seconds=300)

    return work


def _finished(watch: Watch) -> list[JobFinished]:
    return [one for one in watch.told(JobFinished) if isinstance(one, JobFinished)]


@dataclasses.dataclass
class Run:
    """What became of sixty good messages and those among them."""

    good_at: float
    reasons: list[str]
    paused: int


def _sixty(make: Callable[[], Runner], poison: int, prepare: Callable[[SimulatedSqs], None] = lambda sqs: None) -> Run:
    async def scenario() -> Run:
        sqs = SimulatedSqs()
        sqs.put(*["poison"] * poison)
        prepare(sqs)
        good = sqs.put(*["good"] * 60)
        watch = Watch(sqs, make(), payload_bucket="payloads")
        while not set(good) <= sqs.deleted.keys():
            await watch.after(10)
            assert asyncio.get_running_loop().time() < 24 * 60 * MINUTES
        good_at = max(sqs.deleted[message_id] for message_id in good)
        await watch.after(5 * 60 * MINUTES)
        await watch.stopped()
        letters = [one["MessageAttributes"]["watchbot.Reason"]["StringValue"] for one in sqs.dead_letters]
        assert sqs.stored == {}
        return Run(good_at, letters, len(watch.told(Paused)))

    return run_virtual(scenario())


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("fault", [StartFault.MESSAGE, StartFault.EITHER])
def test_process_three_unreadable_payloads_leave_sixty_good_messages_alone(fault: StartFault, workers: int) -> None:
    without = _sixty(lambda: SimulatedRunner(_script(fault), workers=workers), 0)
    with_them = _sixty(lambda: SimulatedRunner(_script(fault), workers=workers), 3)
    assert with_them.good_at == pytest.approx(without.good_at, abs=30)
    assert with_them.reasons == ["it cannot be started, tried 5 times: kms:Decrypt denied"] * 3
    if fault is StartFault.MESSAGE:
        assert with_them.paused == 0


class PoisonedEcs(SimulatedEcs):
    """Runs the workers of some messages out of memory; ECS shows what ``worker`` is."""

    def __init__(self, **worker: object) -> None:
        super().__init__(seconds=60)
        self._worker = worker

    def _described(self, arn: str) -> dict[str, object]:
        described = super()._described(arn)
        if described["lastStatus"] == "STOPPED" and described["startedBy"] in ("wb-m1", "wb-m2", "wb-m3"):
            described["containers"] = [{"name": "worker", **self._worker}]
        return described


class UnreadablePayloads(SimulatedPayloads):
    async def text(self, pointer: object, limit: int) -> str | None:
        from watchbot.payload_store import PayloadUnreadableError

        raise PayloadUnreadableError(f"its payload {pointer}: kms:Decrypt denied")


def test_task_three_without_an_exit_code_and_three_unreadable_payloads_leave_sixty_good_messages_alone() -> None:
    settings = dataclasses.replace(SETTINGS, payload_bucket="payloads")
    pointer = '["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "payloads", "s3Key": "k"}]'

    def make(**worker: object) -> Runner:
        return task_runner(PoisonedEcs(**worker), settings, UnreadablePayloads())

    # What ran takes its turns as any job that fails, and what cannot start takes none.
    without = _sixty(lambda: make(exitCode=1), 3)
    with_them = _sixty(
        lambda: make(reason="OutOfMemoryError: Container killed"), 3, lambda sqs: _put_pointers(sqs, pointer)
    )
    assert with_them.good_at == pytest.approx(without.good_at, abs=60)
    assert with_them.paused == 0
    memory = [one for one in with_them.reasons if "OutOfMemoryError: Container killed on receive 10 of 10" in one]
    payload = [one for one in with_them.reasons if "tried 5 times" in one and "kms:Decrypt denied" in one]
    assert (len(memory), len(payload), len(with_them.reasons)) == (3, 3, 6)


def _put_pointers(sqs: SimulatedSqs, pointer: str) -> None:
    sqs.put(*[pointer] * 3)


def test_a_denial_that_stops_every_message_pauses_and_dead_letters_nothing() -> None:
    """The policy of a bucket broke for two hours: S3 answers as for an object that is denied alone."""

    async def scenario() -> tuple[SimulatedSqs, Watch]:
        sqs = SimulatedSqs()
        sqs.put(*["poison"] * 20)
        watch = Watch(sqs, SimulatedRunner(_script(StartFault.EITHER, 120 * MINUTES), workers=4))
        await watch.after(300 * MINUTES)
        await watch.stopped()
        return sqs, watch

    sqs, watch = run_virtual(scenario())
    assert sqs.dead_letters == []
    assert len(sqs.deleted) == 20
    assert (len(watch.told(Paused)), len(watch.told(Resumed))) == (1, 1)
    assert max(len(stored.receives) for stored in sqs.ever.values()) <= 5


def test_in_a_pause_the_next_probe_is_a_new_message() -> None:
    """Three that wait under their leases, sent in a quiet moment, must not keep those that come later out."""

    async def scenario() -> tuple[SimulatedSqs, Watch]:
        sqs = SimulatedSqs()
        sqs.put(*["poison"] * 3)
        watch = Watch(sqs, SimulatedRunner(_script(StartFault.SERVICE), workers=8))
        await watch.after(45)
        assert len(watch.told(Paused)) == 1
        sqs.put(*["good"] * 30)
        await watch.after(40 * MINUTES)
        await watch.stopped()
        return sqs, watch

    sqs, _ = run_virtual(scenario())
    assert len(sqs.deleted) == 30


def test_a_pause_takes_one_new_message_at_a_time_and_ever_less_often() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.put(*["poison"] * 3)
        watch = Watch(sqs, SimulatedRunner(_script(StartFault.SERVICE), workers=100))
        await watch.after(45)
        sqs.put(*["poison"] * 100)
        await watch.after(30 * MINUTES)
        await watch.stopped()
        return sqs

    received = [stored for stored in run_virtual(scenario()).ever.values() if stored.receives]
    assert 3 + 5 <= len(received) <= 3 + 15


def test_on_its_last_receive_such_a_message_is_dead_lettered_with_the_reason() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.put("poison")
        watch = Watch(sqs, SimulatedRunner(_script(StartFault.MESSAGE)), max_receive_count=2)
        await watch.after(20 * MINUTES)
        await watch.stopped()
        return sqs

    sqs = run_virtual(scenario())
    assert len(sqs.ever["m1"].receives) == 2
    (letter,) = sqs.dead_letters
    reason = letter["MessageAttributes"]["watchbot.Reason"]["StringValue"]
    assert reason == "it cannot be started, tried 2 times: kms:Decrypt denied"


def test_without_a_dead_letter_queue_it_has_failed() -> None:
    async def scenario() -> Watch:
        sqs = SimulatedSqs()
        sqs.put("poison")
        watch = Watch(sqs, SimulatedRunner(_script(StartFault.MESSAGE)), dead_letter_queue=False)
        await watch.after(60 * MINUTES)
        await watch.stopped()
        return watch

    outcomes = [one.result.outcome for one in _finished(run_virtual(scenario()))]
    assert outcomes[:4] == [Outcome.DID_NOT_START] * 4
    assert set(outcomes[4:]) == {Outcome.FAILED}


def test_a_message_that_starts_in_the_end_has_its_tries_anew() -> None:
    async def scenario() -> tuple[SimulatedSqs, Watch]:
        sqs = SimulatedSqs()
        sqs.put("poison")
        watch = Watch(sqs, SimulatedRunner(_script(StartFault.MESSAGE, 5 * MINUTES)))
        await watch.after(60 * MINUTES)
        await watch.stopped()
        return sqs, watch

    sqs, watch = run_virtual(scenario())
    assert sqs.dead_letters == []
    assert list(sqs.deleted) == ["m1"]
    assert not watch.told(StartFailed)  # not counted as a worker that could not be placed


def test_a_request_that_ecs_calls_invalid_for_one_message_keeps_no_other_from_starting() -> None:
    class Strict(SimulatedEcs):
        async def run_task(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
            if request["startedBy"] in ("wb-m1", "wb-m2", "wb-m3"):
                raise EcsError("Container overrides: invalid", code="InvalidParameterException", answered=True)
            return await super().run_task(request)

    without = _sixty(lambda: task_runner(SimulatedEcs(seconds=300), SETTINGS), 0)
    with_them = _sixty(lambda: task_runner(Strict(seconds=300), SETTINGS), 3)
    assert with_them.good_at == pytest.approx(without.good_at, abs=60)
    assert len(with_them.reasons) == 3


def _gives_up(script: Callable[[Job], Work], *sent_at: float, until: float = 60 * MINUTES) -> tuple[Watch, int | None]:
    async def scenario() -> tuple[Watch, int | None]:
        sqs = SimulatedSqs()
        watch = Watch(sqs, SimulatedRunner(script, workers=2))
        for at in sent_at:
            await watch.after(at - asyncio.get_running_loop().time())
            sqs.put("job")
        try:
            async with asyncio.timeout_at(until):
                return watch, await watch.ended()
        except TimeoutError:
            return watch, None

    return run_virtual(scenario())


def _local_until(until: float) -> Callable[[Job], Work]:
    return lambda _: (
        Work(does_not_start="No space left on device", fault=StartFault.LOCAL)
        if asyncio.get_running_loop().time() < until
        else Work(seconds=1)
    )


def test_ten_minutes_of_local_damage_end_the_watcher_for_another_container() -> None:
    watch, exit_code = _gives_up(_local_until(1e9), 0)
    assert exit_code == 1
    (draining_at,) = watch.at(Draining)
    assert draining_at == pytest.approx(600, abs=30)
    assert watch.stop.reason == "no worker has started here for 10 minutes: No space left on device"


@pytest.mark.parametrize("fault", [StartFault.SERVICE, StartFault.MESSAGE, StartFault.EITHER])
def test_what_a_new_container_does_not_mend_ends_no_watcher(fault: StartFault) -> None:
    _, exit_code = _gives_up(lambda _: _unstartable(fault), 0, 1, 2)
    assert exit_code is None


def test_one_start_that_succeeds_ends_the_count() -> None:
    attempts = iter(range(10**6))

    def script(_: Job) -> Work:
        return Work(seconds=1) if next(attempts) % 5 == 4 else Work(does_not_start="full", fault=StartFault.LOCAL)

    _, exit_code = _gives_up(script, *range(0, 3000, 100))
    assert exit_code is None


def test_time_in_which_nothing_was_to_start_does_not_count() -> None:
    async def scenario() -> None:
        given_up: list[str] = []
        damage = LocalDamage(given_up.append)
        for _ in range(5):
            damage.failed("full")
            await asyncio.sleep(30 * MINUTES)
        assert given_up == []
        damage.failed("full")
        damage.started()
        for _ in range(12):
            damage.failed("full")
            await asyncio.sleep(MINUTES)
        assert given_up == ["no worker has started here for 10 minutes: full"]

    run_virtual(scenario())


def test_a_start_without_an_answer_is_reported() -> None:
    class Hanging(SimulatedEcs):
        async def run_task(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
            await asyncio.sleep(50 * MINUTES)
            return await super().run_task(request)

    async def scenario() -> Watch:
        sqs = SimulatedSqs()
        sqs.put("x")
        watch = Watch(sqs, task_runner(Hanging(), SETTINGS))
        await watch.after(60 * MINUTES)
        await watch.stopped()
        return watch

    (overdue,) = run_virtual(scenario()).told(StartOverdue)
    assert isinstance(overdue, StartOverdue)
    assert overdue.message.message_id == "m1"
    assert 900 <= overdue.waited_seconds <= 960


def test_a_fault_is_the_services_unless_said_otherwise() -> None:
    assert Result(Outcome.DID_NOT_START).fault is StartFault.SERVICE
