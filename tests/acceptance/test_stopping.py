"""The end of a watcher: by a signal, twice, or without any warning."""

from __future__ import annotations

import signal

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues

UNTIL_TOLD = 'echo "ready $Message"; while [ ! -e "$GATE" ]; do sleep 0.02; done'


def test_a_drain_lets_the_worker_finish_receives_nothing_more_and_exits_with_0(
    queues: Queues, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gate = tmp_path_factory.mktemp("gate") / "open"
    queues.send("first", "second")
    program = Program(queues, UNTIL_TOLD)
    program.environment["GATE"] = str(gate)
    with program:
        program.hears("job.started")
        program.signal(signal.SIGTERM)
        program.hears("watcher.draining")
        gate.touch()
        assert program.exit_code() == 0
        assert len(program.events("job.started")) == 1
        assert program.events("job.finished")[0].fields["outcome"] == "succeeded"
    assert queues.waiting() == (1, 0)


def test_what_has_not_finished_when_the_drain_ends_is_visible_again_at_once(queues: Queues) -> None:
    queues.send("x")
    with Program(queues, "echo ready; sleep 1000", drain_seconds="0") as program:
        program.says("ready")
        program.signal(signal.SIGTERM)
        assert program.exit_code() == 0
        finished = program.events("job.finished")[0]
        assert (finished.fields["outcome"], finished.fields["delay_seconds"]) == ("interrupted", 0)
    assert queues.waiting() == (1, 0)


def test_a_second_signal_skips_the_wait(queues: Queues) -> None:
    queues.send("x")
    with Program(queues, "echo ready; sleep 1000") as program:
        program.says("ready")
        program.signal(signal.SIGTERM)
        program.hears("watcher.draining")
        program.signal(signal.SIGINT)
        assert program.exit_code() == 0
    assert queues.waiting() == (1, 0)


def test_a_watcher_killed_without_warning_loses_nothing(queues: Queues) -> None:
    (message_id,) = queues.send("x")
    with Program(queues, "echo ready; sleep 1000", visibility_timeout_seconds="3") as program:
        program.says("ready")
        program.signal(signal.SIGKILL)
        program.exit_code()
    assert queues.waiting() == (0, 1)
    with Program(queues, "exit 0") as program:
        finished = program.hears("job.finished")
    assert finished.entry.message_id == message_id
    assert finished.fields["receive_count"] == 2
    assert queues.waiting() == (0, 0)


def test_a_long_job_keeps_its_message_by_heartbeats(queues: Queues) -> None:
    queues.send("x")
    with Program(queues, "sleep 5", visibility_timeout_seconds="3", workers="2") as program:
        finished = program.hears("job.finished")
        assert len(program.events("job.started")) == 1
    assert (finished.fields["outcome"], finished.fields["receive_count"]) == ("succeeded", 1)
