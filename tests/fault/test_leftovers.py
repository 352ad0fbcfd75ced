"""What a job leaves behind reaches no later job and changes no outcome."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.processes import wait_until_gone

LATE = """
    case "$Message" in
      first)
        (trap '' TERM; read line < "$GATE"; echo LATE; echo LATE >> "$LEDGER") &
        setsid sh -c 'echo $$ > "$PIDS"; read line < "$GATE"; echo LATER; echo LATER >> "$LEDGER"' &
        while [ ! -s "$PIDS" ]; do sleep 0.02; done
        echo first done ;;
      *) echo "next done" ;;
    esac
"""


def test_late_output_and_background_processes_of_a_job_do_not_reach_the_next(queues: Queues, tmp_path: Path) -> None:
    gate, pids, ledger = tmp_path / "gate", tmp_path / "pids", tmp_path / "ledger"
    os.mkfifo(gate)
    ledger.touch()
    held_open = os.open(gate, os.O_RDWR)
    queues.send("first")
    program = Program(queues, LATE)
    program.environment |= {"GATE": str(gate), "PIDS": str(pids), "LEDGER": str(ledger)}
    with program:
        program.hears("job.finished")
        wait_until_gone(int(pids.read_text()))
        # Whoever still waited at the gate would now speak, before the next job begins.
        os.write(held_open, b"\n\n")
        queues.send("next")
        program.says("next done")
        program.hears("job.finished", 2)
        assert [line for line in program.spoken if "done" in line or "LATE" in line] == ["first done", "next done"]
    os.close(held_open)
    assert ledger.read_text() == ""


UNDELETABLE = {
    "an immutable file": 'touch "$TMPDIR/stays"; chattr +i "$TMPDIR/stays"',
    "an immutable directory": 'mkdir "$TMPDIR/d"; touch "$TMPDIR/d/stays"; chattr +i "$TMPDIR/d"',
    "an immutable message": 'chattr +i "$MessageFile"',
    "a mount": 'mkdir "$TMPDIR/stays"; mount -t tmpfs tmpfs "$TMPDIR/stays"; touch "$TMPDIR/stays/x"',
}


def test_a_clean_up_that_fails_changes_no_outcome_and_no_later_job_sees_what_stayed(
    queues: Queues, tmp_path: Path
) -> None:
    if os.geteuid() != 0 or sys.platform != "linux" or shutil.which("chattr") is None:
        pytest.skip("only root can make what it cannot delete")
    cases = "\n".join(f'"{name}") {script} || exit 99 ;;' for name, script in UNDELETABLE.items())
    script = f"""
        test -z "$(ls -A "$TMPDIR")" || exit 98
        case "$Message" in
          {cases}
          *) exit "$Message" ;;
        esac
    """
    program = Program(queues, script, workers="2", max_receive_count="1")
    program.environment["TMPDIR"] = str(tmp_path)
    queues.send(*UNDELETABLE, *["0", "3"] * 5)
    try:
        with program:
            program.hears("job.finished", len(UNDELETABLE) + 10)
            exit_codes = Counter(heard.fields.get("exit_code") for heard in program.events("job.finished"))
            assert exit_codes == {0: len(UNDELETABLE) + 5, 3: 5}
            assert program.events("watcher.bug") == []
            queues.becomes(0, 0)
    finally:
        subprocess.run(["chattr", "-R", "-f", "-i", str(tmp_path)], check=False)
        for mounted in tmp_path.glob("watchbot-*/*/stays"):
            subprocess.run(["umount", "--lazy", str(mounted)], check=False, stderr=subprocess.DEVNULL)
