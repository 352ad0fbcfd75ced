"""Workers that misbehave harm neither the watcher nor the other slots, and leave nothing for the next job."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.processes import wait_until_gone

HOSTILE = {
    "forks daemons": 'setsid sh -c "echo \\$\\$ > $NOTES/daemon; exec sleep 1000" & '
    'while [ ! -s "$NOTES/daemon" ]; do sleep 0.01; done',
    "ignores TERM": "trap '' TERM; (trap '' TERM; sleep 1000) & echo $! > \"$NOTES/daemon\"; wait; sleep 1000",
    "closes its output early": "exec >&- 2>&-; exit 0",
    "writes a gigabyte": "head -c 1000000000 /dev/zero | tr '\\0' '\\n'",
    "writes a gigabyte without a newline": "head -c 1000000000 /dev/zero",
    "writes binary": "head -c 1000000 /dev/urandom",
    "fills its scratch directory": 'for n in 1 2 3 4 5; do head -c 20000000 /dev/zero > "$TMPDIR/$n"; done; '
    'mkdir "$TMPDIR/d"; chmod 000 "$TMPDIR/d"',
    "removes its scratch directory": 'rm -rf "$TMPDIR" "$MessageFile"',
    "stops itself": "kill -STOP $$",
}

ENDED_BY_TIMEOUT = ("ignores TERM", "stops itself")
"""They never end by themselves, so that the suite need not wait long for their timeout."""


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_worker_harms_nobody_else(queues: Queues, tmp_path: Path, kind: str) -> None:
    """One slot of two gets the hostile job; the other goes on, and the jobs after it find nothing of it."""
    script = f"""
        case "$Message" in
          hostile) {HOSTILE[kind]} ;;
          *) test -z "$(ls -A "$TMPDIR")" && echo "good $Message" ;;
        esac
    """
    queues.send("hostile", *map(str, range(50)))
    limit = "2" if kind in ENDED_BY_TIMEOUT else "10"
    program = Program(queues, script, workers="2", job_timeout_seconds=limit, max_receive_count="1")
    program.environment["NOTES"] = str(tmp_path)
    with program:
        program.hears("job.finished", 51)
        finished = program.events("job.finished")
        good = [heard for heard in finished if heard.fields["outcome"] == "succeeded"]
        assert len(good) >= 50
        daemon = tmp_path / "daemon"
        if daemon.exists():
            wait_until_gone(int(daemon.read_text()))
        assert program.is_running
    assert {f"good {number}" for number in range(50)} <= set(program.spoken)
    assert queues.waiting() == (0, 0)
