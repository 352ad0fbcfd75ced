"""A job of many parts comes to one result, however often the watchers that do it are lost."""

from __future__ import annotations

import math
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.words_example import LANGUAGES, Words, WordsService, library_files, plain_count
from watchbot.contract import Event
from watchbot_cli.local.emulator import Emulator

LIBRARY = Path(sysconfig.get_path("stdlib"))
FILES_PER_PART = 100


def _done_under_kills(service: WordsService) -> list[str]:
    """Lose the watcher when the job begins, twice after some parts, and when they are added up; gives all lines."""
    service.start(LIBRARY, FILES_PER_PART)
    said: list[str] = []
    for line, count in ((Event.JOB_STARTED, 1), ("is counted", 2), ("is counted", 3), ("all parts are", 1)):
        with service.watcher() as watcher:
            watcher.hears(line, count)
        said += [entry.line for entry in watcher.heard]
    with service.watcher() as watcher:
        service.finishes()
    return [*said, *(entry.line for entry in watcher.heard)]


def test_all_languages_have_the_plain_result_while_their_watchers_are_killed(
    emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = Words(emulator, tmp_path, visibility_timeout_seconds="5")
    parts = math.ceil(len(library_files(LIBRARY)) / FILES_PER_PART)
    services = [words.service(language) for language in LANGUAGES]
    with ThreadPoolExecutor(len(services)) as pool:
        lines = [*pool.map(_done_under_kills, services)]
    expected = plain_count(LIBRARY)
    for service, language, said in zip(services, LANGUAGES, lines, strict=True):
        counted = [line for line in said if line.endswith("is counted")]
        assert set(counted) == {f"part {part} is counted" for part in range(1, parts + 1)}
        ((job_id, result),) = service.results.items()
        assert result == expected, language
        status = service.status(job_id)
        assert (status.remaining, status.reduce_sent) == (0, True)
        with capsys.disabled():
            reduced = said.count("all parts are counted")
            print(f"\n{language}: {parts} parts counted {len(counted)} times, added up {reduced} times, 4 kills")
