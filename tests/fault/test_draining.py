"""A stop in the middle of many jobs."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues

WORKER = 'echo "$$" > "$PIDS/$Message"; echo ready; test "$Message" -ge 16 || exit 0; sleep 1000'


def test_a_drain_of_32_workers_deletes_what_is_finished_and_returns_the_rest_at_once(
    queues: Queues, tmp_path: Path
) -> None:
    queues.send(*map(str, range(40)))
    program = Program(queues, WORKER, workers="32", drain_seconds="1")
    program.environment["PIDS"] = str(tmp_path)
    with program:
        # Sixteen are done at once, and what is left of the forty takes their slots.
        program.says("ready", 40)
        program.hears("job.finished", 16)
        workers = [os.pidfd_open(int(file.read_text())) for file in tmp_path.iterdir() if int(file.name) >= 16]
        queues.send("99")
        program.signal(signal.SIGTERM)
        assert program.exit_code() == 0
        started = len(program.events("job.started"))
        outcomes = [heard.fields["outcome"] for heard in program.events("job.finished")]
    assert started == 40
    assert (outcomes.count("succeeded"), outcomes.count("interrupted")) == (16, 24)
    assert queues.waiting() == (25, 0)
    for descriptor in workers:
        ready, _, _ = select.select([descriptor], [], [], 0)
        assert ready, "a worker outlived its watcher"
        os.close(descriptor)
