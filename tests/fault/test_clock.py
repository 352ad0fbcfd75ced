"""A wall clock that jumps, as after a correction or a migration, moves no lease and no back-off."""

from __future__ import annotations

import sys

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues

# Every other reading of the wall clock is days ahead, and the others are days behind.
JUMPING = """
import itertools, runpy, sys, time
true_time, jumps = time.time, itertools.cycle((3e5, -3e5))
time.time = lambda: true_time() + next(jumps)
sys.argv = ["watchbot", *sys.argv[1:]]
runpy.run_module("watchbot", run_name="__main__", alter_sys=True)
"""


def _jumping(queues: Queues, script: str, **settings: str) -> Program:
    program = Program(queues, script, **settings)
    listening = program._command[program._command.index("listen") :]
    program._command = [sys.executable, "-P", "-c", JUMPING, *listening]
    return program


def test_heartbeats_timeouts_and_back_off_do_not_follow_the_wall_clock(queues: Queues) -> None:
    queues.send("long", "failing")
    script = """
        case "$Message$ApproximateReceiveCount" in
          long1) sleep 5 ;;
          failing1) exit 1 ;;
        esac
    """
    with _jumping(queues, script, workers="3", visibility_timeout_seconds="3", job_timeout_seconds="60") as program:
        program.hears("job.finished", 3)
        finished = program.events("job.finished")
        started = program.events("job.started")
        assert [heard.fields["outcome"] for heard in finished] == ["failed", "succeeded", "succeeded"]
        assert finished[0].fields["delay_seconds"] == 2
        assert 1.8 <= started[2].at - finished[0].at <= 4
        assert 4.9 <= finished[-1].fields["duration_seconds"] <= 8
        assert program.events("lease.lost") == []
        queues.becomes(0, 0)
    dates = {line[:17] for line in program.log if line.startswith("[")}
    assert len(dates) > 1, "the clock did not jump"
