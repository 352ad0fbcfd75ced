"""A worker in a container of its image, with the command line of Docker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from watchbot.contract import PREFIX, TRACE_VARIABLES, WORKER_ENV_PREFIX, WORKER_VARIABLES, Isolation
from watchbot_cli.errors import CommandError, UsageError

CANNOT_START = 125
"""What docker run exits with when no container could be started.

https://docs.docker.com/reference/cli/docker/container/run/#exit-status
"""


def docker_program() -> str:
    """Find Docker's command line; raises :class:`UsageError`."""
    found = shutil.which("docker")
    if found is None:
        raise UsageError("--docker needs Docker, and there is no docker in PATH")
    return found


def image_of(docker: str, image: Any, source: Mapping[str, Any] | None, folder: Path) -> str:
    """Give the name or the id of an image; it is built when it is made of a folder.

    Raises :class:`UsageError` for an image that is known only in AWS, and :class:`CommandError` when it is not built.
    """
    if source is None:
        if isinstance(image, str):
            return image
        raise UsageError("--docker cannot run this service: its image is in a registry that only AWS knows")
    file = folder / "image"
    options = [
        *(f"--build-arg={name}={value}" for name, value in source.get("dockerBuildArgs", {}).items()),
        *(part for key, option in _OPTIONS.items() if key in source for part in (option, source[key])),
    ]
    if "dockerFile" in source:
        options += ["--file", str(Path(source["directory"], source["dockerFile"]))]
    built = subprocess.run(
        [docker, "build", "--iidfile", str(file), *options, source["directory"]], stdout=sys.stderr, check=False
    )
    if built.returncode != 0:
        raise CommandError(f"docker build has failed with exit code {built.returncode} in {source['directory']}")
    return file.read_text().strip()


_OPTIONS = {"dockerBuildTarget": "--target", "platform": "--platform", "networkMode": "--network"}


class Container:
    """A container of an image on this machine's network, where the embedded AWS is; gone at the end of the ``with``."""

    def __init__(self, docker: str, image: str, isolation: Isolation) -> None:
        self._docker = docker
        self._image = image
        self._isolation = isolation
        self._name = f"watchbot-run-{uuid.uuid4().hex}"

    def __enter__(self) -> Container:
        return self

    def __exit__(self, *_: object) -> None:
        # One whose docker run was killed is still there.
        subprocess.run([self._docker, "rm", "--force", self._name], capture_output=True, check=False)

    def command(self, command: Sequence[str], variables: Mapping[str, str], scratch: Path) -> list[str]:
        """Give the command that runs it with these variables and those of a job.

        With PROCESS the command is the whole argv, and the image's entry point does not run.
        """
        terminal = ["--tty"] if os.isatty(0) and os.isatty(1) else []
        is_process = self._isolation is Isolation.PROCESS
        entry, arguments = (["--entrypoint", command[0]], command[1:]) if is_process else ([], command)
        return [
            *(self._docker, "run", "--rm", "--init", "--interactive", *terminal, "--name", self._name),
            *("--network", "host", "--mount", f"type=bind,source={scratch},target={scratch}"),
            *self._passed(variables),
            *(*entry, self._image, *arguments),
        ]

    def _passed(self, variables: Mapping[str, str]) -> list[str]:
        """Pass variables on by name, so that no list of processes shows the values; those of the job come last."""
        given = [f"{name}={value}" if _steers_docker(name) else name for name, value in variables.items()]
        is_process = self._isolation is Isolation.PROCESS
        job = [name for name in _JOB_VARIABLES if is_process or name not in ("ResultFile", "TMPDIR")]
        return [part for one in (*given, *job) for part in ("--env", one)]


_JOB_VARIABLES = (*WORKER_VARIABLES, *TRACE_VARIABLES, "TMPDIR")


def variables_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Give a container's variables, by the names that the worker has for them, without the watcher's settings."""
    carried = {name.removeprefix(WORKER_ENV_PREFIX): value for name, value in environment.items()}
    return {name: value for name, value in carried.items() if not name.startswith(PREFIX)}


def beside_docker(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what Docker's command line would heed itself."""
    return {name: value for name, value in environment.items() if not _steers_docker(name)}


def _steers_docker(name: str) -> bool:
    own = name.removeprefix(WORKER_ENV_PREFIX)
    return own in ("PATH", "HOME") or own.startswith(("DOCKER_", "LD_"))
