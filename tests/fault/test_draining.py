"""A stop in the middle of many jobs."""

from __future__ import annotations

import signal
import time
import uuid
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.processes import marked
from tests.fault.proxy import FaultyProxy

# Half of them finish once the drain has begun, and half never do and have daemons besides.
WORKER = """
    echo ready
    if [ "$Message" -lt 16 ]; then while [ ! -e "$GATE" ]; do sleep 0.05; done; exit 0; fi
    trap '' TERM; setsid sleep 1000 & wait; sleep 1000
"""


def test_a_drain_of_32_workers_deletes_what_finishes_returns_the_rest_at_once_and_leaves_nothing_behind(
    queues: Queues, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = f"MARK={uuid.uuid4()}"
    queues.send(*map(str, range(32)))
    with FaultyProxy(queues.emulator.endpoint_url) as proxy:
        program = Program(queues, WORKER, workers="32", drain_seconds="2")
        program.environment |= {"AWS_ENDPOINT_URL": proxy.url, "GATE": str(tmp_path / "gate"), "MARK": mark[5:]}
        with program:
            program.says("ready", 32)
            received = len(proxy.made["ReceiveMessage"])
            queues.send(*map(str, range(100, 108)))
            assert len(marked(mark)) >= 32
            program.signal(signal.SIGTERM)
            signalled_at = time.monotonic()
            program.hears("watcher.draining")
            (tmp_path / "gate").touch()
            assert program.exit_code() == 0
            exited_at = time.monotonic()
            left = marked(mark)
            queues.becomes(16 + 8, 0)
            visible_at = time.monotonic()
            outcomes = [heard.fields["outcome"] for heard in program.events("job.finished")]
            started = len(program.events("job.started"))
        received_after = len(proxy.made["ReceiveMessage"]) - received
    with capsys.disabled():
        print(
            f"\ndrain of 32: {outcomes.count('succeeded')} finished, {outcomes.count('interrupted')} interrupted, "
            f"{received_after} receives after the signal, exit after {exited_at - signalled_at:.2f} s "
            f"(drain 2 s, grace 5 s), all visible {(visible_at - exited_at) * 1000:.0f} ms after the exit, "
            f"{len(left)} processes left"
        )
    assert (received_after, started, left) == (0, 32, {})
    assert (outcomes.count("succeeded"), outcomes.count("interrupted")) == (16, 16)
    assert visible_at - exited_at < 1
    assert program.metric("Interrupted") == 16
    assert program.metric("WorkerErrors") == 0


def test_a_message_that_an_open_poll_brings_after_the_signal_goes_back_untouched(
    queues: Queues, tmp_path: Path
) -> None:
    queues.send("first")
    with FaultyProxy(queues.emulator.endpoint_url) as proxy:
        program = Program(queues, 'echo "began $Message"; while [ ! -e "$GATE" ]; do sleep 0.05; done', workers="2")
        program.environment |= {"AWS_ENDPOINT_URL": proxy.url, "GATE": str(tmp_path / "gate")}
        with program:
            program.says("began first")
            proxy.sees("ReceiveMessage", 2)
            program.signal(signal.SIGTERM)
            program.hears("watcher.draining")
            (late,) = queues.send("late")
            assert program.hears("job.handed_back").entry.message_id == late
            (tmp_path / "gate").touch()
            assert program.exit_code() == 0
            assert program.spoken == ["began first"]
        assert len(proxy.made["ReceiveMessage"]) == 2
    assert queues.waiting() == (1, 0)


def test_a_delete_that_fails_while_the_watcher_stops_is_still_made_before_it_exits(queues: Queues) -> None:
    queues.send("x")
    with FaultyProxy(queues.emulator.endpoint_url) as proxy:
        proxy.breaks("DeleteMessageBatch", "500", "reset")
        program = Program(queues, "echo ready; exit 0")
        program.environment["AWS_ENDPOINT_URL"] = proxy.url
        with program:
            proxy.sees("DeleteMessageBatch", 1)
            program.signal(signal.SIGTERM)
            program.hears("watcher.draining")
            queues.send("late")  # so that the open poll ends
            assert program.exit_code() == 0
        assert len(proxy.made["DeleteMessageBatch"]) == 3
    assert queues.waiting() == (1, 0)
