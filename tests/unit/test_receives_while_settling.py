"""SQS acts before it answers: a message may be received while its settlement is not answered yet."""

from __future__ import annotations

import asyncio
import math

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import VirtualTimeLoop, run_virtual
from tests.simulation.watch import Watch
from watchbot.backoff import Backoff
from watchbot.contract import Settings
from watchbot.job import Job
from watchbot.notice import Bug, HandedBack, JobFinished, LeaseLost, Received
from watchbot.settlement import LetGo
from watchbot.sqs import SqsError

AT_ONCE = Backoff(cap_seconds=0)


def _fails_twice(job: Job) -> Work:
    return Work(seconds=1, exit_code=1 if job.message.receive_count < 3 else 0)


def _counts(watch: Watch) -> list[tuple[str, int]]:
    """Give the message and receive count of each job that has ended."""
    finished = [notice for notice in watch.told(JobFinished) if isinstance(notice, JobFinished)]
    return [(notice.message.message_id, notice.message.receive_count) for notice in finished]


@pytest.mark.parametrize("fifo", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_message_back_before_its_return_is_answered_runs(fifo: bool, workers: int) -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
        sqs = SimulatedSqs(fifo=fifo)
        sqs.answers["return"] = 0.5
        sqs.put("x", group="g" if fifo else None)
        runner = SimulatedRunner(_fails_twice, workers=workers)
        watch = Watch(sqs, runner, backoff=AT_ONCE)
        await watch.after(10)
        # No slot has been lost or gained by it.
        for number in range(3 * workers):
            sqs.put("y", group=f"g{number}" if fifo else None)
        await watch.after(60)
        await watch.stopped()
        return sqs, runner, watch

    sqs, runner, watch = run_virtual(scenario())
    assert _counts(watch)[:3] == [("m1", 1), ("m1", 2), ("m1", 3)]
    assert sqs.deleted["m1"] < 6
    assert len(sqs.ever["m1"].receives) == 3
    assert not [notice for notice in watch.told(Received) if isinstance(notice, Received) and notice.again]
    assert not watch.told(HandedBack)
    assert runner.most_at_once == workers
    assert len(sqs.deleted) == 1 + 3 * workers


@pytest.mark.parametrize("fifo", [False, True])
def test_a_return_whose_answer_is_lost_is_not_made_again_on_the_next_receive(fifo: bool) -> None:
    async def scenario() -> tuple[SimulatedSqs, Watch]:
        sqs = SimulatedSqs(fifo=fifo)
        sqs.answers["return"] = 10
        sqs.loses = lambda name, number: SqsError("timed out") if (name, number) == ("return", 1) else None
        sqs.put("x", group="g" if fifo else None)
        watch = Watch(sqs, SimulatedRunner(_fails_twice, workers=2), backoff=AT_ONCE)
        await watch.after(60)
        await watch.stopped()
        return sqs, watch

    sqs, watch = run_virtual(scenario())
    assert sqs.ever["m1"].returned == [0, 0]
    assert _counts(watch) == [("m1", 1), ("m1", 2), ("m1", 3)]
    assert sqs.deleted["m1"] < 4  # the message itself is the answer
    assert not watch.told(LeaseLost)


def test_a_group_keeps_its_order_when_its_rest_is_back_before_the_answers() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
        sqs = SimulatedSqs(fifo=True)
        sqs.answers["return"] = 0.5
        for number in range(14):
            sqs.put(f"a{number:02}", group="a")
        runner = SimulatedRunner(
            lambda job: Work(0.1, 1 if job.text in ("a00", "a03") and job.message.receive_count < 3 else 0), workers=20
        )
        watch = Watch(sqs, runner, backoff=AT_ONCE, max_polls=2, max_receive_count=20)
        await watch.after(60)
        await watch.stopped()
        return sqs, runner, watch

    sqs, runner, watch = run_virtual(scenario())
    assert list(dict.fromkeys(runner.texts)) == [f"a{number:02}" for number in range(14)]
    assert runner.texts == sorted(runner.texts)
    assert list(sqs.deleted.values())[-1] < 10
    assert not watch.told(Bug)
    assert not watch.told(LeaseLost)


def test_a_letter_that_is_refused_is_sent_on_the_next_receive_without_another_run() -> None:
    """Even if that comes before the answer to the return of the message."""

    async def scenario() -> tuple[SimulatedSqs, Watch]:
        sqs = SimulatedSqs()
        sqs.answers["return"] = 70
        sqs.fault = lambda name, number: (
            SqsError("no access", refused=True) if name == "send" and asyncio.get_running_loop().time() < 30 else None
        )
        sqs.put("x")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(1, 5)))
        await watch.after(100)
        await watch.stopped()
        return sqs, watch

    sqs, watch = run_virtual(scenario())
    assert _counts(watch) == [("m1", 1)]
    assert len(sqs.dead_letters) == 1
    assert 61 < sqs.deleted["m1"] < 63


@pytest.mark.parametrize("refused", [False, True])
def test_a_message_back_while_its_delete_is_on_its_way_is_deleted_as_well(refused: bool) -> None:
    """SQS answers the delete of an older handle with success, or says that the handle is not valid."""

    class Sqs(SimulatedSqs):
        def _entry_fault(self, name: str) -> SqsError | None:
            stale = refused and name == "delete_entry" and self.stored and self.count("delete") == 1
            return SqsError("expired", code="ReceiptHandleIsInvalid", refused=True) if stale else None

    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
        sqs = Sqs(visibility_seconds=30)
        sqs.put("x")
        runner = SimulatedRunner(lambda job: Work(seconds=1), workers=2)
        watch = Watch(sqs, runner)
        await watch.after(1.5)
        sqs.stored.clear()
        sqs.deleted.clear()
        sqs.put("y")  # m2: its delete arrives after its lease has run out
        sqs.calls.clear()
        sqs.latency_seconds = 0
        sqs.fault = lambda name, number: SqsError("unreachable") if name == "heartbeat" else None
        await watch.after(0.5)
        sqs.latency_seconds = 40
        await watch.after(0.9)
        sqs.latency_seconds = 0
        await watch.after(100)
        await watch.stopped()
        return sqs, runner, watch

    sqs, runner, watch = run_virtual(scenario())
    assert len(runner.ran) == 2
    assert "m2" in sqs.deleted
    assert len(sqs.ever["m2"].receives) == 2
    again = [notice for notice in watch.told(Received) if isinstance(notice, Received) and notice.again]
    assert [notice.message.message_id for notice in again] == ["m2"]


def test_no_heartbeat_undoes_a_back_off_that_is_not_answered_yet() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs(visibility_seconds=30)
        sqs.answers["return"] = 5
        sqs.put("x")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(seconds=8.5, exit_code=1)))
        await watch.after(60)
        return sqs

    first, second = run_virtual(scenario()).stored["m1"].receives[:2]
    assert first + 8.5 + 2 <= second <= first + 8.5 + 3


def test_a_heartbeat_that_comes_after_the_delete_is_no_lost_lease() -> None:
    async def scenario() -> Watch:
        sqs = SimulatedSqs(visibility_seconds=30)
        sqs.answers["delete"] = 5
        sqs.put("x")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(seconds=8.5)))
        await watch.after(60)
        await watch.stopped()
        assert sqs.count("heartbeat") == 1
        assert list(sqs.deleted) == ["m1"]
        return watch

    assert not run_virtual(scenario()).told(LeaseLost)


@pytest.mark.parametrize("fifo", [False, True])
def test_a_drain_returns_what_comes_back_before_its_return_is_answered(fifo: bool) -> None:
    async def scenario() -> tuple[SimulatedSqs, Watch]:
        sqs = SimulatedSqs(fifo=fifo)
        sqs.answers["return"] = 2
        sqs.put("x", group="g" if fifo else None)
        watch = Watch(sqs, SimulatedRunner(_fails_twice, workers=2), backoff=AT_ONCE)
        while not sqs.ever["m1"].returned:
            await watch.after(0.01)
        # SQS has handed it to the open poll, and neither of the two answers is here.
        await watch.stopped()
        return sqs, watch

    sqs, watch = run_virtual(scenario())
    assert sqs.stored["m1"].returned == [0, 0]
    assert len(sqs.stored["m1"].receives) == 2
    assert len(watch.told(HandedBack)) == 1


@pytest.mark.parametrize("groups", [1, 4])
def test_a_stop_costs_a_waiting_message_at_most_one_receive(groups: int) -> None:
    async def scenario() -> tuple[SimulatedSqs, float]:
        sqs = SimulatedSqs(fifo=True)
        for group in range(groups):
            sqs.put(*["x"] * 12, group=str(group))
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(seconds=1.5), workers=10), backoff=AT_ONCE)
        await watch.after(2)
        await watch.stopped()
        return sqs, asyncio.get_running_loop().time()

    sqs, ended_at = run_virtual(scenario())
    assert ended_at <= 23
    assert [one.message_id for one in sqs.stored.values() if one.visible_at > ended_at] == []
    assert [one.message_id for one in sqs.ever.values() if len(one.receives) > 1] == []


def test_a_failure_while_draining_does_not_go_into_the_open_poll() -> None:
    async def scenario() -> tuple[SimulatedSqs, float]:
        sqs = SimulatedSqs()
        sqs.put("x")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(seconds=3, exit_code=1), workers=2))
        await watch.after(2)
        await watch.stopped()
        return sqs, asyncio.get_running_loop().time()

    sqs, ended_at = run_virtual(scenario())
    assert len(sqs.stored["m1"].receives) == 1
    assert sqs.stored["m1"].visible_at <= ended_at + 2


def test_a_second_signal_leaves_no_message_to_an_open_poll() -> None:
    async def scenario() -> tuple[SimulatedSqs, float]:
        sqs = SimulatedSqs(fifo=True)
        sqs.put(*["x"] * 8, group="g")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(seconds=100), workers=20))
        await watch.after(5)
        stopping = asyncio.create_task(watch.stopped())
        await asyncio.sleep(2)
        watch.stop.request("again")
        await stopping
        return sqs, asyncio.get_running_loop().time()

    sqs, ended_at = run_virtual(scenario())
    assert ended_at <= 7.5
    assert [len(one.receives) for one in sqs.stored.values()] == [1] * 8
    # The poll was opened as the messages came, and lasts for 20 seconds.
    assert max(one.visible_at for one in sqs.stored.values()) <= 22.5


def test_an_interrupted_task_starts_again_before_its_return_is_answered() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=30)
        sqs.answers["return"] = 5
        sqs.put("x")
        settings = Settings(queue_url="https://q", dead_letter_queue_url="https://d", cluster="c", task_definition="f")
        watch = Watch(sqs, task_runner(ecs, settings))
        await watch.after(5)
        ecs.tasks["arn:task/1"]["stopCode"] = "SpotInterruption"
        await watch.after(120)
        await watch.stopped()
        return sqs, ecs, watch

    sqs, ecs, watch = run_virtual(scenario())
    assert _counts(watch) == [("m1", 1), ("m1", 2)]
    assert len(ecs.tasks) == 2
    assert sqs.deleted["m1"] < 64


def _frozen(exit_code: int, *, other_watcher: bool = False) -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
    """Stop a watcher of a FIFO queue for longer than its lease, while its job ends."""

    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        sqs = SimulatedSqs(fifo=True, visibility_seconds=6)
        sqs.put("1", "2", group="g")
        exit_codes = iter([exit_code])
        runner = SimulatedRunner(lambda job: Work(seconds=8, exit_code=next(exit_codes, 0)), workers=2)
        watch = Watch(sqs, runner, backoff=AT_ONCE)
        await watch.after(7.9)
        loop.pause(20)
        if other_watcher:
            sqs.stored["m1"].handle = "m1/elsewhere"
            sqs.stored["m1"].receives.append(loop.time())
            sqs.stored["m1"].visible_at = loop.time() + 60
        await watch.after(180)
        await watch.stopped()
        return sqs, runner, watch

    return run_virtual(scenario())


@pytest.mark.parametrize("other_watcher", [False, True])
@pytest.mark.parametrize(("exit_code", "dead_lettered"), [(0, 0), (3, 0), (5, 1)])
def test_a_job_that_ended_after_its_fifo_lease_is_recognised(
    exit_code: int, dead_lettered: int, other_watcher: bool
) -> None:
    sqs, runner, watch = _frozen(exit_code, other_watcher=other_watcher)
    assert runner.texts == ["1", "2"]
    assert list(sqs.deleted) == ["m1", "m2"]
    assert [letter["MessageBody"] for letter in sqs.dead_letters] == ["1"] * dead_lettered
    finished = watch.told(JobFinished)[0]
    assert isinstance(finished, JobFinished)
    assert finished.settlement == LetGo()
    assert {notice.message.message_id for notice in watch.told(LeaseLost) if isinstance(notice, LeaseLost)} >= {"m1"}


def test_a_job_that_failed_after_its_fifo_lease_runs_again() -> None:
    sqs, runner, _ = _frozen(1)
    assert runner.texts == ["1", "1", "2"]
    assert list(sqs.deleted) == ["m1", "m2"]


@pytest.mark.parametrize("exit_code", [0, 5])
def test_a_delete_that_a_fifo_queue_refuses_holds_its_group_back(exit_code: int) -> None:
    """SQS does so when the receipt handle has expired: another watcher may have the message by then."""

    class Sqs(SimulatedSqs):
        def _entry_fault(self, name: str) -> SqsError | None:
            refused = name == "delete_entry" and self.count("delete") == 1
            return SqsError("expired", code="InvalidParameterValue", refused=True) if refused else None

        async def delete(self, entries):  # type: ignore[no-untyped-def]  # as the one it overrides
            if self.count("delete") == 0:
                self.stored["m1"].handle = "m1/elsewhere"
                self.stored["m1"].visible_at = asyncio.get_running_loop().time() + 50
            return await super().delete(entries)

    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
        sqs = Sqs(fifo=True)
        sqs.put("1", "2", group="g")
        exit_codes = iter([exit_code])
        runner = SimulatedRunner(lambda job: Work(1, next(exit_codes, 0)), workers=2)
        watch = Watch(sqs, runner)
        await watch.after(200)
        await watch.stopped()
        return sqs, runner, watch

    sqs, runner, watch = run_virtual(scenario())
    assert runner.texts == ["1", "2"]
    assert runner.ran[1].began_at > 50
    assert len(sqs.dead_letters) == (exit_code == 5)
    assert len(watch.told(LeaseLost)) == 1
    assert list(sqs.deleted) == ["m1", "m2"]
    assert math.isfinite(sqs.deleted["m1"])
