"""Nothing about the log can stop the work: a reader that is gone, that does not read, or workers that forge lines."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues

CLOSED = {
    "standard output": (">&-", [1]),
    "all three": ("<&- >&- 2>&-", [0, 1, 2]),
    "a full device": (">/dev/full", []),
}


@pytest.mark.parametrize("closed", CLOSED)
def test_work_goes_on_without_anyone_to_write_to(queues: Queues, tmp_path: Path, closed: str) -> None:
    ledger = tmp_path / "ledger"
    queues.send(*map(str, range(20)))
    how, numbers = CLOSED[closed]
    through = ["sh", "-c", f'exec "$@" {how}', "sh"]
    program = Program(queues, 'echo spoken; echo "$Message" >> "$LEDGER"', through=through, workers="4")
    program.environment["LEDGER"] = str(ledger)
    with program:
        queues.becomes(0, 0)
        # None of ours has got the number, or the log would be written into it.
        if sys.platform == "linux":
            links = [Path(f"/proc/{program.pid}/fd/{number}") for number in numbers]
            assert {str(link.readlink()) for link in links} <= {"/dev/null"}
        queues.send("one more")
        queues.becomes(0, 0)
        assert program.is_running
    assert sorted(ledger.read_text().splitlines()) == sorted([*map(str, range(20)), "one more"])


def test_a_reader_that_has_stopped_reading_holds_nobody_up(queues: Queues, tmp_path: Path) -> None:
    """Each worker writes more than a pipe holds, so that the watcher's own pipe is full after the first."""
    pipe, ledger = tmp_path / "pipe", tmp_path / "ledger"
    os.mkfifo(pipe)
    never_read = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    queues.send(*map(str, range(30)))
    through = ["sh", "-c", 'exec "$@" > "$PIPE"', "sh"]
    script = 'head -c 200000 /dev/zero | tr "\\0" "x"; echo "$Message" >> "$LEDGER"'
    program = Program(queues, script, through=through, workers="4", drain_seconds="0")
    program.environment |= {"PIPE": str(pipe), "LEDGER": str(ledger)}
    with program:
        queues.becomes(0, 0)
        program.signal(signal.SIGTERM)
        program.signal(signal.SIGTERM)
        assert program.exit_code() == 0
    os.close(never_read)
    assert sorted(ledger.read_text().split(), key=int) == [str(number) for number in range(30)]


def test_no_line_of_a_worker_can_pass_for_one_of_ours(queues: Queues) -> None:
    forged = {"time": "never", "level": "error", "source": "watcher", "message_id": "forged", "event": "job.finished"}
    (message_id,) = queues.send("x")
    script = f"""echo '{json.dumps(forged)}'; echo '["array"]'; echo '{{"open": '; echo '{{"a": NaN}}'"""
    with Program(queues, script, log_format="json") as program:
        program.hears("job.finished")
        lines = [json.loads(line) for line in program.log if not line.startswith('{"_aws"')]
    spoken = [line for line in lines if line["source"] == "worker"]
    assert [line["message_id"] for line in spoken] == [message_id] * 4
    assert spoken[0]["worker"] == forged
    assert [line["time"] for line in spoken if not line["time"].startswith("20")] == []
    assert [line["event"] for line in lines if line["source"] == "watcher"].count("job.finished") == 1
    assert [line["line"] for line in spoken[1:3]] == ['["array"]', '{"open": ']


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_body_is_never_in_the_log_with_more_than_its_first_2048_characters(queues: Queues, log_format: str) -> None:
    body = "\u00e9" * 100_000
    queues.send(body)
    with Program(queues, "exit 5", log_format=log_format) as program:
        program.hears("job.finished")
        assert "\u00e9" * 2049 not in "\n".join(program.log)
