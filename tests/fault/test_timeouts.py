"""Over its time a job ends, with everything that it has started, whatever it makes of signals."""

from __future__ import annotations

import signal
import uuid

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.processes import marked, wait_until_gone

STUBBORN = """
    trap '' TERM INT HUP
    case "$Message" in
      stubborn)
        setsid sh -c "trap '' TERM; setsid sleep 1000 & sleep 1001" &
        echo "pid $$"; wait; while :; do sleep 1000; done ;;
      *) echo "good" ;;
    esac
"""


def test_a_worker_that_ignores_term_is_killed_with_the_daemons_of_its_daemons_and_counts_as_timed_out(
    queues: Queues,
) -> None:
    mark = str(uuid.uuid4())
    queues.send("stubborn")
    program = Program(queues, STUBBORN, workers="2", job_timeout_seconds="1", max_receive_count="1", drain_seconds="0")
    program.environment["MARK"] = mark
    with program:
        started = program.hears("job.started")
        program.hears("job.finished")
        finished = program.events("job.finished")[0]
        assert (finished.fields["outcome"], finished.fields["settlement"]) == ("timed_out", "dead_lettered")
        assert finished.fields["reason"] == "over the job timeout of 1 seconds"
        # One second, five of grace, and what a loaded machine takes.
        assert 5.5 <= finished.at - started.at <= 9
        for pid in [pid for pid in marked(mark) if pid != program.pid]:
            wait_until_gone(pid)
        queues.send("next")
        program.says("good")
        program.hears("job.finished", 2)
        program.signal(signal.SIGTERM)
        program.hears("watcher.draining")
        queues.send("late")  # so that the open poll ends
        assert program.exit_code() == 0
    assert program.metric("TimedOut") == 1
    assert (program.metric("WorkerErrors"), program.metric("WorkerSuccesses")) == (1, 1)
    (letter,) = queues.dead_letters()
    assert letter["MessageAttributes"]["watchbot.Reason"]["StringValue"].startswith("over the job timeout of 1 seconds")
    assert marked(mark) == {}
