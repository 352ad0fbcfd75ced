from __future__ import annotations

import asyncio

import pytest

from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs, Stored
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.backoff import Backoff
from watchbot.contract import Outcome
from watchbot.job import Job
from watchbot.notice import (
    Bug,
    Busy,
    HandedBack,
    Idle,
    JobFinished,
    LeaseLost,
    MessageIgnored,
    Received,
    StartFailed,
)
from watchbot.result import Result
from watchbot.sqs import SqsError


def _instantly(job: Job) -> Work:
    return Work(seconds=0.01)


def _seconds(job: Job) -> Work:
    return Work(seconds=float(str(job.text)))


@pytest.mark.parametrize(
    ("exit_code", "returned", "deleted", "dead_lettered"),
    [(0, [], True, 0), (3, [], True, 0), (4, [2], False, 0), (5, [], True, 1), (1, [2], False, 0), (-9, [2], False, 0)],
)
def test_the_exit_code_decides_what_becomes_of_the_message(
    exit_code: int, returned: list[int], deleted: bool, dead_lettered: int
) -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.put("x")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(exit_code=exit_code)))
        await watch.after(2)
        await watch.stopped()
        return sqs

    sqs = run_virtual(scenario())
    assert [stored.returned[:1] for stored in sqs.stored.values()] == ([] if deleted else [returned])
    assert len(sqs.deleted) == deleted
    assert len(sqs.dead_letters) == dead_lettered


def test_a_failing_message_backs_off_twofold_and_is_dead_lettered_on_its_last_receive() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs()
        sqs.put("x")
        runner = SimulatedRunner(lambda job: Work(seconds=0, exit_code=1))
        watch = Watch(sqs, runner, max_receive_count=4)
        await watch.after(60)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    gaps = [later.began_at - earlier.ended_at for earlier, later in zip(runner.ran, runner.ran[1:], strict=False)]
    assert [round(gap) for gap in gaps] == [2, 4, 8]
    assert [letter["MessageAttributes"]["watchbot.Reason"]["StringValue"] for letter in sqs.dead_letters] == [
        "exit code 1 on receive 4 of 4"
    ]


def test_never_receives_more_than_can_run_now() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs()
        sqs.put(*["5"] * 40)
        runner = SimulatedRunner(_seconds, workers=4)
        watch = Watch(sqs, runner)
        await watch.after(1)
        assert sum(1 for stored in sqs.stored.values() if stored.receives) == 4
        await watch.after(60)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert runner.most_at_once == 4
    assert len(sqs.deleted) == 40


def test_never_waits_for_the_slowest_of_a_batch() -> None:
    async def scenario() -> SimulatedRunner:
        sqs = SimulatedSqs()
        sqs.put("100", *["1"] * 20)
        runner = SimulatedRunner(_seconds, workers=2)
        watch = Watch(sqs, runner)
        await watch.after(30)
        await watch.stopped()
        return runner

    assert len(run_virtual(scenario()).ran) == 21


def test_a_busy_watcher_with_many_slots_polls_several_times_at_once() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs(latency_seconds=0.015)
        sqs.put(*["0.1"] * 2000)
        watch = Watch(sqs, SimulatedRunner(_seconds, workers=40), max_polls=4)
        await watch.after(8)
        await watch.stopped()
        return sqs

    assert len(run_virtual(scenario()).deleted) == 2000


def test_settles_in_batches() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.put(*["x"] * 1000)
        watch = Watch(sqs, SimulatedRunner(_instantly, workers=20), max_polls=2)
        await watch.after(20)
        await watch.stopped()
        return sqs

    sqs = run_virtual(scenario())
    assert len(sqs.deleted) == 1000
    assert sqs.count("receive") + sqs.count("delete") <= 300


def test_a_long_job_keeps_its_lease_for_hours_by_a_heartbeat_every_third_of_it() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.put("36000")
        watch = Watch(sqs, SimulatedRunner(_seconds))
        await watch.after(36_010)
        await watch.stopped()
        assert not watch.told(LeaseLost)
        return sqs

    sqs = run_virtual(scenario())
    assert len(sqs.deleted) == 1
    assert 36_000 / 60 <= sqs.count("heartbeat") <= 36_000 / 54 + 1


def test_never_extends_a_lease_past_the_twelve_hours_of_sqs() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.put("43100")
        watch = Watch(sqs, SimulatedRunner(_seconds))
        await watch.after(43_150)
        assert not watch.told(LeaseLost)
        await watch.stopped()
        return sqs

    assert len(run_virtual(scenario()).deleted) == 1


def test_a_hundred_running_jobs_share_heartbeats() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.put(*["600"] * 100)
        watch = Watch(sqs, SimulatedRunner(_seconds, workers=100), max_polls=8)
        await watch.after(620)
        await watch.stopped()
        return sqs

    sqs = run_virtual(scenario())
    assert len(sqs.deleted) == 100
    assert sqs.count("heartbeat") <= 100 * 11 / 5


def test_a_heartbeat_that_fails_for_a_while_loses_nothing() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs()
        sqs.put("300")
        sqs.fault = lambda name, number: (
            SqsError("unreachable") if name == "heartbeat" and asyncio.get_running_loop().time() < 170 else None
        )
        runner = SimulatedRunner(_seconds)
        watch = Watch(sqs, runner)
        await watch.after(310)
        await watch.stopped()
        assert not watch.told(LeaseLost)
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert len(sqs.deleted) == 1
    assert len(runner.ran) == 1


def test_a_slow_heartbeat_does_not_undo_the_back_off_of_a_message_returned_meanwhile() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.heartbeat_latency_seconds = 10
        sqs.put("x")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(seconds=60.5, exit_code=1)), backoff=Backoff(base=30))
        await watch.after(300)
        return sqs

    first, second = run_virtual(scenario()).stored["m1"].receives
    assert first + 60.5 + 30 <= second <= first + 60.5 + 10 + 30 + 1


def test_a_lost_lease_lets_a_standard_job_finish_and_still_tries_the_delete() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs(visibility_seconds=30)
        sqs.put("100")
        sqs.fault = lambda name, number: SqsError("unreachable") if name == "heartbeat" else None
        runner = SimulatedRunner(_seconds)
        watch = Watch(sqs, runner)
        await watch.after(110)
        await watch.stopped()
        assert len(watch.told(LeaseLost)) == 1
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert [run.stopped for run in runner.ran] == [False]
    assert len(sqs.deleted) == 1


def test_a_message_received_again_while_its_job_runs_is_settled_once_with_the_newest_handle() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
        sqs = SimulatedSqs(visibility_seconds=30)
        sqs.put("100")
        sqs.fault = lambda name, number: (
            SqsError("unreachable") if name == "heartbeat" and asyncio.get_running_loop().time() < 50 else None
        )
        runner = SimulatedRunner(_seconds, workers=2)
        watch = Watch(sqs, runner)
        await watch.after(120)
        await watch.stopped()
        return sqs, runner, watch

    sqs, runner, watch = run_virtual(scenario())
    assert len(runner.ran) == 1
    assert len([notice for notice in watch.told(Received) if isinstance(notice, Received) and notice.again]) == 1
    assert len(sqs.deleted) == 1
    assert sqs.stale_deletes == []


def test_a_message_delivered_once_more_after_its_job_is_deleted_without_a_second_run() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs()
        sqs.put("1")
        runner = SimulatedRunner(_seconds)
        watch = Watch(sqs, runner)
        await watch.after(5)
        sqs.stored["m1"] = Stored("m1", "1", None, 0, 0)
        sqs.put("1")
        await watch.after(5)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert len(runner.ran) == 2
    assert sqs.stored == {}


def test_a_lost_lease_stops_a_fifo_job_and_settles_nothing() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs(visibility_seconds=30, fifo=True)
        sqs.put("1000", group="g")
        sqs.fault = lambda name, number: SqsError("unreachable") if name == "heartbeat" else None
        runner = SimulatedRunner(_seconds)
        watch = Watch(sqs, runner)
        await watch.after(35)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert runner.ran[0].stopped
    assert runner.ran[0].ended_at <= 31
    assert not sqs.deleted
    assert next(iter(sqs.stored.values())).returned in ([], [0])


def test_a_lost_lease_never_stops_a_worker_that_outlives_the_watcher_for_long() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs(visibility_seconds=30)
        sqs.put("1000")
        sqs.fault = lambda name, number: SqsError("unreachable") if name == "heartbeat" else None
        watch = Watch(sqs, SimulatedRunner(_seconds, outlives_watcher=True))
        await watch.after(31)
        assert len(watch.told(LeaseLost)) == 1
        assert len(watch.told(JobFinished)) == 1
        await watch.stopped()
        return sqs

    assert not run_virtual(scenario()).deleted


def test_a_delete_is_tried_until_sqs_takes_it_so_that_finished_work_is_not_repeated() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs()
        sqs.put("1")
        sqs.fault = lambda name, number: (
            SqsError("throttled") if name == "delete" and asyncio.get_running_loop().time() < 1000 else None
        )
        runner = SimulatedRunner(_seconds)
        watch = Watch(sqs, runner)
        await watch.after(1100)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert len(runner.ran) == 1
    assert list(sqs.deleted) == ["m1"]


def test_a_message_that_cannot_be_dead_lettered_goes_back_instead_of_being_lost() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.put("x")
        sqs.fault = lambda name, number: SqsError("no access", refused=True) if name == "send" else None
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(exit_code=5)))
        await watch.after(5)
        await watch.stopped()
        return sqs

    sqs = run_virtual(scenario())
    assert not sqs.deleted
    assert sqs.stored["m1"].returned == [60]


def test_a_drain_lets_workers_finish_and_receives_nothing_new() -> None:
    async def scenario() -> tuple[SimulatedSqs, int]:
        sqs = SimulatedSqs()
        sqs.put("50", "50", "1")
        watch = Watch(sqs, SimulatedRunner(_seconds, workers=2))
        await watch.after(5)
        exit_code = await watch.stopped()
        return sqs, exit_code

    sqs, exit_code = run_virtual(scenario())
    assert sorted(sqs.deleted) == ["m1", "m2"]
    assert sqs.stored["m3"].receives == []
    assert exit_code == 0


def test_a_drain_hands_what_did_not_finish_back_at_once() -> None:
    async def scenario() -> tuple[SimulatedSqs, float]:
        sqs = SimulatedSqs()
        sqs.put("500")
        watch = Watch(sqs, SimulatedRunner(_seconds))
        await watch.after(5)
        await watch.stopped()
        return sqs, asyncio.get_running_loop().time()

    sqs, ended_at = run_virtual(scenario())
    assert sqs.stored["m1"].returned == [0]
    assert ended_at <= 5 + 105 + 1


def test_a_drain_hands_late_messages_back() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
        sqs = SimulatedSqs()
        runner = SimulatedRunner(_seconds)
        watch = Watch(sqs, runner)
        await watch.after(5)
        stopping = asyncio.create_task(watch.stopped())
        await asyncio.sleep(3)
        sqs.put("1")
        await stopping
        return sqs, runner, watch

    sqs, runner, watch = run_virtual(scenario())
    assert runner.ran == []
    assert sqs.stored["m1"].returned == [0]
    assert len(watch.told(HandedBack)) == 1


def test_a_second_signal_skips_the_wait() -> None:
    async def scenario() -> float:
        sqs = SimulatedSqs()
        sqs.put("500")
        watch = Watch(sqs, SimulatedRunner(_seconds, workers=2))
        await watch.after(5)
        stopping = asyncio.create_task(watch.stopped())
        await asyncio.sleep(2)
        watch.stop.request("again")
        await stopping
        # Not at once, or its own open poll, which ends 20 seconds after it began, would receive it.
        assert len(sqs.stored["m1"].receives) == 1
        assert sqs.stored["m1"].visible_at <= 22.5
        return asyncio.get_running_loop().time()

    assert run_virtual(scenario()) <= 7.5


def test_ten_minutes_without_one_good_receive_end_the_watcher_with_a_failure() -> None:
    async def scenario() -> tuple[int, float, int]:
        sqs = SimulatedSqs()
        sqs.fault = lambda name, number: SqsError("unreachable") if name == "receive" else None
        watch = Watch(sqs, SimulatedRunner(_seconds, workers=20), max_polls=2)
        exit_code = await watch.ended()
        return exit_code, asyncio.get_running_loop().time(), sqs.count("receive")

    exit_code, ended_at, receives = run_virtual(scenario())
    assert exit_code == 1
    assert 600 <= ended_at <= 700
    assert receives <= 30


def test_not_receiving_because_all_slots_are_taken_is_no_failure() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.put("3000", "1")
        failing = {3, 4}
        sqs.fault = lambda name, number: SqsError("unreachable") if name == "receive" and number in failing else None
        watch = Watch(sqs, SimulatedRunner(_seconds))
        await watch.after(3100)
        await watch.stopped()
        return sqs

    assert len(run_virtual(scenario()).deleted) == 2


def test_workers_that_do_not_start_keep_the_lease_and_burn_no_attempt() -> None:
    async def scenario() -> tuple[SimulatedSqs, Watch]:
        sqs = SimulatedSqs()
        sqs.put("1")
        broken_until = 1000
        runner = SimulatedRunner(
            lambda job: Work(does_not_start="no capacity" if asyncio.get_running_loop().time() < broken_until else None)
        )
        watch = Watch(sqs, runner)
        await watch.after(1500)
        await watch.stopped()
        return sqs, watch

    sqs, watch = run_virtual(scenario())
    assert list(sqs.deleted) == ["m1"]
    assert [notice.message.receive_count for notice in watch.told(JobFinished) if isinstance(notice, JobFinished)] == [
        1
    ]
    pauses = [notice.retry_seconds for notice in watch.told(StartFailed) if isinstance(notice, StartFailed)]
    assert 4 <= pauses[0] <= 5
    assert 240 <= max(pauses) <= 300


def test_three_messages_in_a_row_that_do_not_start_stop_the_receiving() -> None:
    async def scenario() -> tuple[int, int]:
        sqs = SimulatedSqs()
        sqs.put(*["1"] * 100)
        broken_until = 600
        runner = SimulatedRunner(
            lambda job: Work(does_not_start="full" if asyncio.get_running_loop().time() < broken_until else None),
            workers=3,
        )
        watch = Watch(sqs, runner)
        await watch.after(590)
        received = sum(1 for stored in sqs.stored.values() if stored.receives)
        attempts = runner.attempts
        await watch.after(2000)
        await watch.stopped()
        assert len(sqs.deleted) == 100
        assert all(len(stored.receives) == 1 for stored in sqs.stored.values())
        return received, attempts

    received, attempts = run_virtual(scenario())
    assert received == 3
    assert attempts <= 30


def test_after_an_hour_without_a_start_the_message_goes_back_with_its_back_off() -> None:
    async def scenario() -> SimulatedSqs:
        sqs = SimulatedSqs()
        sqs.put("1")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(does_not_start="full")))
        await watch.after(3601 + 300)
        await watch.stopped()
        return sqs

    assert run_virtual(scenario()).stored["m1"].returned[0] == 2


def test_a_stop_hands_back_at_once_what_could_not_start() -> None:
    async def scenario() -> tuple[SimulatedSqs, float]:
        sqs = SimulatedSqs()
        sqs.put("1")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(does_not_start="full")))
        await watch.after(30)
        await watch.stopped()
        return sqs, asyncio.get_running_loop().time()

    sqs, ended_at = run_virtual(scenario())
    assert sqs.stored["m1"].returned == [0]
    assert ended_at <= 31


def test_finished_work_of_an_earlier_watcher_is_settled_without_a_second_run() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs()
        sqs.put("1")
        await sqs.receive(1)  # by a watcher that died
        runner = SimulatedRunner(_seconds, outlives_watcher=True)
        runner.found["m1"] = Result(Outcome.SUCCEEDED, 0)
        watch = Watch(sqs, runner)
        await watch.after(200)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert runner.ran == []
    assert list(sqs.deleted) == ["m1"]


def test_observers_hear_of_the_edges_between_idle_and_busy() -> None:
    async def scenario() -> list[type]:
        sqs = SimulatedSqs()
        sqs.put("5", "6")
        watch = Watch(sqs, SimulatedRunner(_seconds, workers=2))
        await watch.after(10)
        await watch.stopped()
        return [type(notice) for notice in watch.notices if isinstance(notice, Busy | Idle)]

    assert run_virtual(scenario()) == [Busy, Idle]


def test_a_lease_shorter_than_the_poll_that_brought_it_is_not_lost_on_arrival() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs(visibility_seconds=3)
        runner = SimulatedRunner(_seconds)
        watch = Watch(sqs, runner)
        await watch.after(15)
        sqs.put("10")
        await watch.after(15)
        await watch.stopped()
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert len(runner.ran) == 1
    assert list(sqs.deleted) == ["m1"]


def test_a_settlement_that_breaks_the_watcher_holds_neither_its_lease_nor_its_group_for_ever() -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
        sqs = SimulatedSqs(visibility_seconds=30, fifo=True)
        sqs.put("1", "1", group="g")
        broken_until = 100
        sqs.fault = lambda name, number: (
            RuntimeError("a bug") if name == "delete" and asyncio.get_running_loop().time() < broken_until else None
        )
        runner = SimulatedRunner(_seconds, workers=2)
        watch = Watch(sqs, runner)
        await watch.after(200)
        await watch.stopped()
        return sqs, runner, watch

    sqs, _, watch = run_virtual(scenario())
    assert watch.told(Bug)
    assert list(sqs.deleted) == ["m1", "m2"]


def test_a_lease_lost_while_its_message_waits_for_its_turn_is_told() -> None:
    async def scenario() -> Watch:
        sqs = SimulatedSqs(visibility_seconds=30, fifo=True)
        sqs.put("20", "1", group="g")
        sqs.fault = lambda name, number: SqsError("unreachable") if name == "heartbeat" else None
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(seconds=1000), workers=2))
        await watch.after(40)
        await watch.stopped()
        return watch

    told = [notice for notice in run_virtual(scenario()).told(LeaseLost) if isinstance(notice, LeaseLost)]
    assert {notice.message.message_id for notice in told} == {"m1", "m2"}


S3_TEST = (
    '{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-01-01T00:00:00.000Z",'
    '"Bucket":"b","RequestId":"r","HostId":"h"}'
)


@pytest.mark.parametrize("fifo", [False, True])
def test_a_message_that_is_no_job_is_deleted_told_once_and_holds_nobody_up(fifo: bool) -> None:
    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner, Watch]:
        sqs = SimulatedSqs(fifo=fifo)
        sqs.put(S3_TEST, "x", group="g" if fifo else None)
        runner = SimulatedRunner(_instantly)
        watch = Watch(sqs, runner)
        await watch.after(5)
        await watch.stopped()
        return sqs, runner, watch

    sqs, runner, watch = run_virtual(scenario())
    assert sorted(sqs.deleted) == ["m1", "m2"]
    assert [run.text for run in runner.ran] == ["x"]
    (ignored,) = watch.told(MessageIgnored)
    assert isinstance(ignored, MessageIgnored)
    assert (ignored.message.message_id, ignored.reason) == ("m1", "a test event of S3")
    assert len(watch.told(JobFinished)) == 1
