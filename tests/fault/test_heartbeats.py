"""A lease survives heartbeats that fail, and when it is lost all the same, nobody works twice without need."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.proxy import FaultyProxy
from watchbot_cli.local.emulator import Emulator

HEARTBEAT = "ChangeMessageVisibilityBatch"
UNTIL_TOLD = 'echo "began $ApproximateReceiveCount"; while [ ! -e "$GATE" ]; do sleep 0.05; done'


def _watch(queues: Queues, proxy: FaultyProxy, gate: Path, lease_seconds: int, workers: int = 1) -> Program:
    program = Program(
        queues, UNTIL_TOLD, workers=str(workers), visibility_timeout_seconds=str(lease_seconds), drain_seconds="0"
    )
    program.environment |= {"AWS_ENDPOINT_URL": proxy.url, "GATE": str(gate)}
    return program


FAULTS = (
    ("500", "reset"),
    ("throttled", "503"),
    ("partly", "lost answer"),
    ("AccessDeniedException", "ExpiredTokenException"),
    ("garbage", "QueueDoesNotExist"),
    ("hang",),
)


def test_heartbeats_that_fail_a_few_times_do_not_lose_the_lease(emulator: Emulator, tmp_path: Path) -> None:
    """Six watchers, each with its own trouble and a second slot that would take the message, and never gets it."""
    with contextlib.ExitStack() as stack:
        watches = []
        for number, faults in enumerate(FAULTS):
            queues = Queues(emulator, f"heartbeats-{number}")
            queues.send("x")
            proxy = stack.enter_context(FaultyProxy(emulator.endpoint_url))
            proxy.breaks(HEARTBEAT, *faults)
            watches.append((queues, proxy, stack.enter_context(_watch(queues, proxy, tmp_path / "gate", 12, 2))))
        for (_, proxy, _), faults in zip(watches, FAULTS, strict=True):
            # The one after those that fail is carried out, and one more says that the lease goes on.
            proxy.sees(HEARTBEAT, len(faults) + 2)
        (tmp_path / "gate").touch()
        for queues, _, program in watches:
            finished = program.hears("job.finished")
            assert (finished.fields["settlement"], finished.fields["receive_count"]) == ("deleted", 1), program.log
            assert len(program.events("job.started")) == 1
            assert program.events("lease.lost") == []
            assert program.events("message.received_again") == []
            queues.becomes(0, 0)


def test_a_lost_lease_lets_a_standard_job_finish_and_its_message_is_deleted(queues: Queues, tmp_path: Path) -> None:
    queues.send("x")
    with FaultyProxy(queues.emulator.endpoint_url) as proxy:
        proxy.breaks_every(HEARTBEAT, "500")
        with _watch(queues, proxy, tmp_path / "gate", 3) as program:
            program.hears("lease.lost")
            (tmp_path / "gate").touch()
            finished = program.hears("job.finished")
            assert (finished.fields["outcome"], finished.fields["settlement"]) == ("succeeded", "deleted")
            assert len(program.events("job.started")) == 1
            queues.becomes(0, 0)


def test_a_message_that_comes_back_while_its_job_runs_is_neither_run_twice_nor_lost(
    queues: Queues, tmp_path: Path
) -> None:
    queues.send("x")
    with FaultyProxy(queues.emulator.endpoint_url) as proxy:
        proxy.breaks_every(HEARTBEAT, "500")
        with _watch(queues, proxy, tmp_path / "gate", 3, workers=2) as program:
            program.hears("message.received_again")
            proxy.heals(HEARTBEAT)
            (tmp_path / "gate").touch()
            program.hears("job.finished")
            queues.becomes(0, 0)
            assert len(program.events("job.started")) == 1


def test_a_lost_lease_stops_a_fifo_job_which_another_then_does(fifo_queues: Queues, tmp_path: Path) -> None:
    fifo_queues.send("x")
    with FaultyProxy(fifo_queues.emulator.endpoint_url) as proxy:
        proxy.breaks_every(HEARTBEAT, "500")
        with _watch(fifo_queues, proxy, tmp_path / "gate", 3) as program:
            finished = program.hears("job.finished")
            assert (finished.fields["outcome"], finished.fields["settlement"]) == ("interrupted", "let_go")
            proxy.heals(HEARTBEAT)
            program.says("began 2")
            (tmp_path / "gate").touch()
            assert program.hears("job.finished", 2).fields["settlement"] == "deleted"
            fifo_queues.becomes(0, 0)


@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_a_watcher_that_was_frozen_for_longer_than_its_lease_notices_it(
    request: pytest.FixtureRequest, kind: str, tmp_path: Path
) -> None:
    """A host that stands still: when it goes on, another watcher may have the message."""
    queues: Queues = request.getfixturevalue("queues" if kind == "standard" else "fifo_queues")
    queues.send("x")
    with (
        FaultyProxy(queues.emulator.endpoint_url) as proxy,
        contextlib.ExitStack() as stack,
        _watch(queues, proxy, tmp_path / "gate", 3) as frozen,
    ):
        frozen.says("began 1")
        other = stack.enter_context(Program(queues, "echo mine", visibility_timeout_seconds="30"))
        frozen.signal(signal.SIGSTOP)
        other.says("mine")
        other.hears("job.finished")
        frozen.signal(signal.SIGCONT)
        frozen.hears("lease.lost")
        if kind == "standard":
            (tmp_path / "gate").touch()
        finished = frozen.hears("job.finished")
        # The other watcher has deleted it: this queue says so, where SQS may report success.
        outcome = ("succeeded", "let_go") if kind == "standard" else ("interrupted", "let_go")
        assert (finished.fields["outcome"], finished.fields["settlement"]) == outcome
        assert len(frozen.events("job.started")) == 1
        queues.becomes(0, 0)
