"""``watchbot init``: what it makes works at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("init")

_ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**_ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    ran = _run(folder, "watchbot", "init", "my thumbs")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.splitlines() == [
        "MyThumbs is made; next:",
        "  cd 'my thumbs' && pip install --requirement requirements.txt",
        "  watchbot local --send jobs.jsonl --until-empty",
        "  python3 -m pytest",
    ]
    return folder / "my thumbs"


def test_it_runs_here_at_once(made: Path) -> None:
    ran = _run(made, "watchbot", "local", "--send", "jobs.jsonl", "--until-empty", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["succeeded"] == 2
    assert "4 words" in ran.stderr


def test_its_own_tests_pass(made: Path) -> None:
    ran = _run(made, "python3", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert ran.returncode == 0, ran.stdout
    assert "3 passed" in ran.stdout


def test_its_stack_is_called_after_the_folder_and_its_image_needs_no_registry_of_ours(
    made: Path, tmp_path: Path
) -> None:
    ran = _run(made, *json.loads((made / "cdk.json").read_text())["app"].split(), CDK_OUTDIR=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "MyThumbs.template.json").is_file()
    assert "watchbot send --stack MyThumbs --file jobs.jsonl" in (made / "README.md").read_text()
    first, *_ = (made / "worker" / "Dockerfile").read_text().splitlines()
    assert first == "FROM python:3.13-slim"
