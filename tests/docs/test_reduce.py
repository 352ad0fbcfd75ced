"""What the page of jobs of many parts shows does a job, in Python and in a shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import emulator
from tests.acceptance.parts import Parts, parts_of_jobs
from watchbot.progress import Progress
from watchbot_cli.local.emulator import Emulator

PAGE = (Path(__file__).parents[2] / "docs" / "reduce.md").read_text()
(PYTHON,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SHELL, BUILD = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)

WORKER = r"""
jq() { "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1][1:]])' "$2"; }
watchbot-progress() { "$PYTHON" -m watchbot.progress.command "$@"; }
list_tiles() { printf '{"tile": "4/8/%d"}\n' 1 2 3; }
draw_tile() { echo "drawn $1"; }
put_together() { echo "together $1"; }
"""
"""What the page leaves to the reader, in which a function of a name with a dash needs a shell that has them."""

__all__ = ["emulator"]


@pytest.fixture
def parts(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    with parts_of_jobs(emulator, "page") as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


Work = Callable[[dict[str, str]], None]
"""Does what a worker does with a message, whose variables are given."""


def _done(work: Work, start: dict[str, Any], parts: Parts) -> list[str]:
    """Have a job done from its start to its end; gives the subjects of its messages."""
    work({"Subject": "start-job", "MessageId": "job", "Message": json.dumps(start)})
    subjects: list[str] = []
    while "reduce" not in subjects:
        for envelope in parts.receive():
            subjects.append(envelope["Subject"])
            work({name: envelope[name] for name in ("Subject", "MessageId", "Message")})
    return subjects


def test_the_pages_python_does_a_job(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, str]] = []
    added: list[tuple[str, Any]] = []
    names: dict[str, object] = {
        "count_words": lambda file, into: counted.append((file, into)),
        "add_up": lambda job, metadata: added.append((job, metadata)),
    }

    def work(variables: dict[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        exec(PYTHON, dict(names))

    assert _done(work, {"files": ["a", "b"], "title": "words"}, parts) == ["map", "map", "reduce"]
    assert sorted(counted) == [("a", "job/1"), ("b", "job/2")]
    assert added == [("job", {"title": "words"})]
    assert Progress().status("job").reduce_sent


def test_the_pages_shell_does_a_job(parts: Parts) -> None:
    said: list[str] = []

    def work(variables: dict[str, str]) -> None:
        environment = {**os.environ, **variables, "PYTHON": sys.executable}
        ran = subprocess.run(
            ["bash", "-c", WORKER + SHELL], env=environment, capture_output=True, text=True, check=True
        )
        said.extend(ran.stdout.split("\n")[:-1])

    assert _done(work, {}, parts) == ["map", "map", "map", "reduce"]
    assert sorted(said) == ["drawn 4/8/1", "drawn 4/8/2", "drawn 4/8/3", "false", "false", "together job", "true"]
    assert Progress().status("job").as_json() == {
        "progress": 1,
        "total": 3,
        "remaining": 0,
        "metadata": {"zoom": 7},
        "reduceSent": True,
    }


def test_the_page_builds_the_watcher_image_of_the_folder_that_the_construct_uses() -> None:
    (folder,) = re.findall(r'"\$\(python -c \'(.*?)\'\)"', BUILD)
    ran = subprocess.run([sys.executable, "-c", folder], capture_output=True, text=True, check=True)
    assert (Path(ran.stdout.strip()) / "Dockerfile").is_file()


def test_every_command_is_on_the_page() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "watchbot.progress.command", "--help"], capture_output=True, text=True, check=True
    )
    commands = set(
        re.findall(r"^  ([a-z]+(?:-[a-z]+)?) ", ran.stdout.partition("commands:")[2].partition("options:")[0], re.M)
    )
    assert "map-reduce" in commands
    for command in commands:
        assert f"| `{command}" in PAGE, command
