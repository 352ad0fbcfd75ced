"""A job that forks without end is cleaned up when it ends, in a real pids cgroup as full as a container's would be."""

from __future__ import annotations

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues

_LIMIT = 200

BOMBS = {
    "in one session": "while True:\n try: os.fork()\n except OSError: time.sleep(0.01)",
    "each in a session": "while True:\n try: os.fork() or os.setsid()\n except OSError: time.sleep(0.01)",
    "without environment": """
code = open('/proc/self/cmdline').read().split(chr(0))[3]
for _ in range(4):
 try:
  if os.fork() == 0: os.setsid(); os.execve(sys.executable, [sys.executable, '-S', '-c', code], {})
 except OSError: time.sleep(0.01)
time.sleep(0.2)
os.execve(sys.executable, [sys.executable, '-S', '-c', code], dict(os.environ))
""",
}


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A cgroup of at most 200 processes and threads, version 1 or 2."""
    roots = map(Path, ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"))
    parent = next((one for one in roots if (one / "cgroup.procs").exists()), None)
    if parent is None or not os.access(parent, os.W_OK):
        pytest.skip("no pids cgroup can be made here")
    group = parent / f"watchbot-{uuid.uuid4().hex}"
    group.mkdir()
    if not (group / "pids.max").exists():
        group.rmdir()
        pytest.skip("no pids cgroup can be made here")
    (group / "pids.max").write_text(str(_LIMIT))
    yield group
    for _ in range(200):
        left = (group / "cgroup.procs").read_text().split()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        if not left:
            break
    with contextlib.suppress(OSError):
        group.rmdir()


@pytest.mark.parametrize("kind", BOMBS)
def test_a_fork_bomb_ends_with_its_job_and_others_run(queues: Queues, tmp_path: Path, cgroup: Path, kind: str) -> None:
    bomb = tmp_path / "bomb.py"
    bomb.write_text("import os, sys, time\n" + BOMBS[kind])
    script = f"""
        case "$Message" in bomb) exec python3 -S -c "$(cat {bomb})" ;; esac
    """
    through = ["sh", "-c", f'echo $$ > {cgroup}/cgroup.procs; exec "$@"', "sh"]
    queues.send("bomb")
    program = Program(queues, script, through=through, workers="4", job_timeout_seconds="3", max_receive_count="1")
    with program:
        program.hears("job.started")
        queues.send(*map(str, range(20)))
        program.hears("job.finished", 21)
        outcomes = [heard.fields["outcome"] for heard in program.events("job.finished")]
        assert (outcomes.count("succeeded"), outcomes.count("timed_out")) == (20, 1)
        assert len((cgroup / "cgroup.procs").read_text().split()) < 10
        assert program.is_running
