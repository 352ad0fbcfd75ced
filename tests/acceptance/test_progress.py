"""The command and the library on the embedded AWS, as workers use them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.parts import Parts, parts_of_jobs
from watchbot.progress import Part, Progress, map_reduce
from watchbot_cli.local.emulator import Emulator


@pytest.fixture
def parts(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    with parts_of_jobs(emulator, "parts") as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


def _command(*arguments: str) -> str:
    program = [sys.executable, "-m", "watchbot.progress.command", *arguments]
    return subprocess.run(program, capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("parts")
def test_processes_at_once_and_one_is_told_that_it_was_the_last() -> None:
    _command("set-total", "job", "-t", "6")
    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(lambda part: _command("complete-part", "job", "-p", str(part)), range(1, 7)))
    assert sorted(told) == ["false\n"] * 5 + ["true\n"]
    assert json.loads(_command("status", "job", "-p", "6")) == {
        "progress": 1,
        "total": 6,
        "remaining": 0,
        "partComplete": True,
    }


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("status job >&-", "standard output cannot be written to: Broken pipe"),
        ("status job >/dev/full", "standard output cannot be written to: No space left on device"),
        ("map-reduce other <&-", "standard input must be a line with a JSON object for each part"),
    ],
)
def test_what_is_wrong_with_the_streams_is_a_sentence(line: str, says: str) -> None:
    program = ["sh", "-c", f'"$0" -m watchbot.progress.command {line}', sys.executable]
    ran = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"watchbot-progress: {says}")
    assert "Traceback" not in ran.stderr


def test_a_start_that_is_killed_goes_on_where_it_was(parts: Parts) -> None:
    program = [sys.executable, "-m", "watchbot.progress.command", "map-reduce", "job"]
    lines = b"".join(b'{"n": %d}\n' % number for number in range(1000))
    with subprocess.Popen(program, stdin=subprocess.PIPE) as killed:
        assert killed.stdin is not None
        killed.stdin.write(lines)
        killed.stdin.close()
        while parts.waiting < 200:
            assert killed.poll() is None
        killed.kill()
    for _ in range(2):
        subprocess.run(program, input=lines, check=True)
    assert 1000 <= parts.waiting <= 1160


def test_a_job_goes_from_its_start_to_its_reduce_message(parts: Parts) -> None:
    job = map_reduce([{"n": number} for number in range(12)], metadata={"a": 1})
    subjects: list[str] = []
    while "reduce" not in subjects:
        for envelope in parts.receive():
            subjects.append(envelope["Subject"])
            if envelope["Subject"] == "map":
                with Part(json.loads(envelope["Message"])):
                    pass
    assert subjects == ["map"] * 12 + ["reduce"]
    assert Progress().status(job).as_json() == {
        "progress": 1,
        "total": 12,
        "remaining": 0,
        "metadata": {"a": 1},
        "reduceSent": True,
    }
    Progress().delete(job)
    assert [*Progress().list()] == []
