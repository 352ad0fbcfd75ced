"""No exception in an observer, sink, reader, callback or timer stops anything else."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.fault.torture import JOBS

RAISED_IN_THE_LOG = {"Journal._write_event", "LineWriter.__call__", "LineWriter._write_held", "LineWriter._wait"}
"""What fails in the log itself may not be in it."""

NO_TROUBLE = {("Health._touch", "OSError")}
"""A file that cannot be touched only looks unhealthy."""


@pytest.mark.skipif(sys.platform != "linux", reason="the watcher is a subreaper, which is Linux's")
@pytest.mark.parametrize(
    ("error", "call"), [("MemoryError", 1), ("RecursionError", 3), ("OSError", 2), ("KeyError", 5)]
)
def test_a_part_that_raises_once_stops_no_job_no_log_and_no_drain(error: str, call: int) -> None:
    program = [sys.executable, "-m", "tests.fault.torture", error, str(call)]
    ran = subprocess.run(program, capture_output=True, text=True, check=False, timeout=400)
    assert ran.returncode == 0, ran.stderr
    for line in ran.stdout.splitlines():
        part = json.loads(line)
        assert part["left"] == 0, part
        assert part["finished"] >= JOBS - 1, part
        assert part["exit_code"] == 0, part
        assert part["drain_seconds"] < 4, part
        assert part["last"] in ("watcher.stopped", "watcher.draining"), part
        unreported = part["part"] in RAISED_IN_THE_LOG or (part["part"], error) in NO_TROUBLE
        assert part["reported"] or not part["raised"] or unreported, part
