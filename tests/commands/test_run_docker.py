"""``watchbot run --docker``: how it calls Docker, of which only the command line is played here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.acceptance.debugged import command, run

pytestmark = pytest.mark.xdist_group("run")

DOCKER = """#!/bin/sh
printf '%s\\n' "$*" >> "$LOG"
env | sort > "$LOG.$1"
case $1 in
  build) printf image-id > "$3" ;;
  run) exit "${EXIT:-0}" ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path) -> dict[str, str]:
    """An environment with a docker that only says how it was called."""
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    return {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "LOG": str(tmp_path / "log")}


def test_docker_runs_the_image_with_its_own_entry_point_and_the_services_environment(
    debugged: str, docker: dict[str, str]
) -> None:
    ran = run(command(debugged, "hello", "--docker", service="task"), TOKEN="hush", **docker)
    assert ran.returncode == 0, ran.stderr
    built, started, removed = Path(docker["LOG"]).read_text().splitlines()
    assert built.startswith("build --iidfile ")
    assert "--build-arg=VERSION=1 --target last" in built
    assert started.startswith("run --rm --init --interactive --name watchbot-run-")
    assert started.endswith(" image-id")
    assert "--entrypoint" not in started
    names = [one.split()[0] for one in started.split("--env ")[1:]]
    assert {"Message", "MessageFile", "TABLE", "TOKEN", "AWS_ENDPOINT_URL", "DOCKER_HOST=theirs"} <= {*names}
    assert "hush" not in started
    assert "ResultFile" not in names
    given = dict(one.split("=", 1) for one in Path(docker["LOG"] + ".run").read_text().splitlines() if "=" in one)
    assert removed.startswith("rm --force watchbot-run-")
    assert "DOCKER_HOST" not in given


def test_docker_gives_a_process_its_whole_argv(debugged: str, docker: dict[str, str]) -> None:
    ran = run(command(debugged, "hello", "--docker"), EXIT="125", **docker)
    assert ran.returncode == 1
    assert "Docker could not start the container" in ran.stderr
    started = Path(docker["LOG"]).read_text().splitlines()[1]
    assert started.endswith(" --entrypoint python3 image-id work.py")
    assert "--env ResultFile" in started


def test_docker_pulls_an_image_of_a_registry_and_a_fifo_message_has_a_group(
    debugged: str, docker: dict[str, str]
) -> None:
    ran = run(command(debugged, "hello", "--docker", service="ordered"), **docker)
    assert ran.returncode == 0, ran.stderr
    started, _ = Path(docker["LOG"]).read_text().splitlines()
    assert started.endswith(" theirs:1")
    assert "MessageGroupId=run\n" in Path(docker["LOG"] + ".run").read_text()


def test_refuses_docker_where_there_is_none(debugged: str) -> None:
    ran = run(command(debugged, "x", "--docker"), PATH="/nowhere")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "watchbot: --docker needs Docker, and there is no docker in PATH\n"
