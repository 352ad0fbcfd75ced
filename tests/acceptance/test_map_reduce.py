"""The example of a job of many parts gives one result, whatever language it is written in."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from tests.acceptance.words_example import LANGUAGES, Words, plain_count
from watchbot_cli.local.emulator import Emulator

LIBRARY = Path(sysconfig.get_path("stdlib")) / "email"


@pytest.fixture(scope="module")
def words(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Words:
    return Words(emulator, tmp_path_factory.mktemp("words"))


def test_a_job_of_many_parts_has_the_same_result_in_every_language(words: Words) -> None:
    jobs = {language: words.job(language) for language in LANGUAGES}
    for job in jobs.values():
        job.start(LIBRARY, files_per_part=9)
    expected = plain_count(LIBRARY)
    for language, job in jobs.items():
        with job.watcher() as watcher:
            job.finishes()
        assert job.words == expected, language
        assert job.status.as_json() == {"progress": 1, "reduceSent": True}
        counted = sorted(entry.line for entry in watcher.heard if entry.line.endswith("is counted"))
        assert counted == [f"part {part} is counted" for part in range(1, len(counted) + 1)]
