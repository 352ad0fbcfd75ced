"""What a machine has run out of is never the message's fault: the start is tried again under the same lease."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues

# Each waits for a line of its own from the gate, with nothing but what the shell itself can do.
WORKER = 'echo x > "$TMPDIR/left"; read line < "$GATE"; echo "$Message" >> "$LEDGER"'


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_full_disk_keeps_messages_until_there_is_space_again(queues: Queues, small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    bodies = [str(number).rjust(5000) for number in range(5)]
    program = Program(queues, 'wc -c < "$MessageFile"', workers="5")
    program.environment["TMPDIR"] = str(small_disk)
    with program:
        queues.send("the first makes the directory for all")
        program.hears("job.finished")
        _fill(ballast)
        queues.send(*bodies)
        # After three it receives no more: those that it had not received by then wait in the queue.
        program.hears("job.start_failed", 3)
        assert all("No space left on device" in one.fields["reason"] for one in program.events("job.start_failed"))
        assert sum(queues.waiting()) == 5
        ballast.unlink()
        program.hears("job.finished", 6)
        finished = [heard.fields for heard in program.events("job.finished")]
        assert {one["outcome"] for one in finished} == {"succeeded"}
        assert {one["receive_count"] for one in finished} == {1}
        assert program.spoken.count("5000") == 5
        queues.becomes(0, 0)


def _few_processes(count: int) -> list[str]:
    """Start as a user whom the limit binds and who can read what is root's."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become a user that has no processes yet")
    user = 40_000 + os.getpid() % 20_000
    rights = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    who = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *rights]
    return [*who, "prlimit", f"--nproc={count}"]


@pytest.mark.parametrize("scarce", ["descriptors", "processes"])
def test_too_few_descriptors_or_processes_for_all_workers_lose_nothing(
    queues: Queues, tmp_path: Path, scarce: str
) -> None:
    jobs = 40
    limit = ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"] if scarce == "descriptors" else _few_processes(20)
    gate, ledger = tmp_path / "gate", tmp_path / "ledger"
    os.mkfifo(gate)
    ledger.touch()
    held_open = os.open(gate, os.O_RDWR)
    bodies = [str(number) for number in range(jobs)]
    queues.send(*bodies)
    program = Program(queues, WORKER, through=limit, workers=str(jobs))
    program.environment |= {"GATE": str(gate), "LEDGER": str(ledger)}
    with program:
        failed = program.hears("job.start_failed")
        says = "Too many open files" if scarce == "descriptors" else "Resource temporarily unavailable"
        assert says in failed.fields["reason"]
        os.write(held_open, b"\n" * jobs)
        program.hears("job.finished", jobs)
        finished = [heard.fields for heard in program.events("job.finished")]
        queues.becomes(0, 0)
        assert program.events("watcher.bug") == []
    os.close(held_open)
    assert Counter(one["outcome"] for one in finished) == {"succeeded": jobs}
    assert {one["receive_count"] for one in finished} == {1}
    assert Counter(ledger.read_text().split()) == Counter(bodies)
