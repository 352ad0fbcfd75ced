from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

WORK = Path(__file__).parents[1] / "worker" / "work.py"


def _work(message: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "Message": message}
    return subprocess.run([sys.executable, WORK], env=environment, capture_output=True, text=True, check=False)


def test_a_job_counts_the_words_of_its_text() -> None:
    worked = _work('{"text": "one two  three"}')
    assert (worked.returncode, worked.stdout) == (0, "3 words\n")


def test_what_is_no_job_is_rejected() -> None:
    for message in ("no JSON", "[]", '{"text": 1}'):
        assert _work(message).returncode == 3
