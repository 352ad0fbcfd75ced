"""The example of a job of many parts does the same, whatever language it is written in."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.parts import Parts, parts_of_jobs
from tests.acceptance.words_example import COMMANDS, EXAMPLE, LANGUAGES, Words, plain_count
from watchbot.progress import Progress
from watchbot_cli.local.emulator import Emulator

LIBRARY = Path(sysconfig.get_path("stdlib"))
LIBRARIES = (LIBRARY / "email", LIBRARY / "json")


def test_jobs_at_once_have_the_plain_results_in_every_language(emulator: Emulator, tmp_path: Path) -> None:
    words = Words(emulator, tmp_path)
    services = [words.service(language) for language in LANGUAGES]
    with contextlib.ExitStack() as stack:
        for service in services:
            for library in LIBRARIES:
                service.start(library, files_per_part=18)
        watchers = [stack.enter_context(service.watcher()) for service in services]
        for service in services:
            service.finishes()
    expected = sorted(map(plain_count, LIBRARIES))
    for language, service, watcher in zip(LANGUAGES, services, watchers, strict=True):
        assert sorted(service.results.values()) == expected, language
        for job_id in service.results:
            status = service.status(job_id)
            assert (status.remaining, status.reduce_sent) == (0, True)
        counted = sorted(entry.line for entry in watcher.heard if entry.line.endswith("is counted"))
        assert counted == ["part 1 is counted", "part 1 is counted", "part 2 is counted"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_counts_that_are_lost_make_no_sum(language: str, tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    for number in (1, 3):
        (tmp_path / "job" / f"part-{number}").write_text("1 word\n")
    message = json.dumps({"jobid": "job", "metadata": {"parts": 3}})
    own = {"RESULTS": str(tmp_path), "TMPDIR": str(tmp_path), "Subject": "reduce", "Message": message}

    def add_up() -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **own}
        return subprocess.run(
            COMMANDS[language],
            cwd=EXAMPLE / language,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    ran = add_up()
    assert ran.returncode == 1
    assert "the counts of part-2 are lost" in ran.stderr
    assert not (tmp_path / "job" / "words").exists()
    (tmp_path / "job" / "part-2").write_text("2 word\n")
    assert add_up().returncode == 0
    assert (tmp_path / "job" / "words").read_text() == "4 word\n"


@pytest.fixture
def parts(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    with parts_of_jobs(emulator, "words") as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_that_is_gone_fails_the_job_and_is_not_tried_again(language: str, parts: Parts, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "gone.py").touch()

    def run(subject: str, message: str) -> int:
        own = {"RESULTS": str(tmp_path), "TMPDIR": str(tmp_path), "MessageId": "job"}
        environment = {**os.environ, **own, "Subject": subject, "Message": message}
        return subprocess.run(COMMANDS[language], cwd=EXAMPLE / language, env=environment, check=False).returncode

    assert run("start-job", json.dumps({"library": str(library), "files_per_part": 1})) == 0
    (library / "gone.py").unlink()
    (envelope,) = parts.receive()
    assert [run("map", envelope["Message"]) for _ in range(2)] == [3, 3]
    assert "gone.py" in str(Progress().status("job").failed)
