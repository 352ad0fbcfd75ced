"""The environment of a worker: the container's own, less everything of ours, and its job."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from watchbot.contract import PREFIX, PROGRESS_VARIABLE, TOOLS_DIRECTORY, TOPIC_VARIABLE, WORKER_ENV_PREFIX, Settings

_OURS = (PREFIX.encode(), b"ECS_", b"AWS_")

VARIABLE_LIMIT = 131_072
"""Linux refuses to start a program with an environment string of this many bytes, NAME= and NUL included."""


def container_environment() -> dict[bytes, bytes]:
    """Read the environment this process was started with, byte for byte.

    Not ``os.environ``: CPython adds LC_CTYPE to that in a container without a locale (PEP 538).
    """
    if sys.platform != "linux":
        return dict(os.environb)
    return _block(Path("/proc/self/environ").read_bytes())


def received_environment(descriptor: int) -> dict[bytes, bytes]:
    """Read the container's environment from the launcher, which starts this process with an empty one."""
    with os.fdopen(descriptor, "rb") as pipe:
        return _block(base64.b64decode(pipe.read()))


def adopt_environment(container: Mapping[bytes, bytes]) -> None:
    """Take over of the container's environment what is meant for the watcher and its AWS client."""
    os.environb.update({name: value for name, value in container.items() if name.startswith(_OURS)})


def _block(block: bytes) -> dict[bytes, bytes]:
    pairs = (entry.partition(b"=") for entry in block.split(b"\0") if entry)
    return {name: value for name, _, value in pairs}


class WorkerEnvironment:
    """Builds the environment of each worker from the one that the container was started with."""

    def __init__(self, base: Mapping[bytes, bytes]) -> None:
        self._base = base

    @classmethod
    def of_container(cls, container: Mapping[bytes, bytes]) -> WorkerEnvironment:
        """Take what is a worker's out of a container's environment; our tools come last in its PATH, hiding nothing."""
        prefix, shadowed = PREFIX.encode(), WORKER_ENV_PREFIX.encode()
        own = {name: value for name, value in container.items() if not name.startswith(prefix)}
        own |= {name.removeprefix(shadowed): value for name, value in container.items() if name.startswith(shadowed)}
        if Path(TOOLS_DIRECTORY).is_dir():
            own[b"PATH"] = own.get(b"PATH", os.defpath.encode()) + b":" + TOOLS_DIRECTORY.encode()
        return cls(own)

    @property
    def search_path(self) -> str | None:
        """The PATH that a worker's command is looked up in."""
        path = self._base.get(b"PATH")
        return None if path is None else os.fsdecode(path)

    def with_variables(self, variables: Mapping[str, str]) -> WorkerEnvironment:
        """Give the same environment with what all jobs of a service share."""
        return WorkerEnvironment(self.of_job(variables))

    def of_job(self, variables: Mapping[str, str]) -> dict[bytes, bytes]:
        """Give the environment for one job; what cannot be an environment variable is left unset."""
        return {**self._base, **_variables(variables)}


def shared_variables(settings: Settings) -> dict[str, str]:
    """Give the variables that all jobs of the service have."""
    shared = {
        TOPIC_VARIABLE: settings.work_topic,
        "LogGroup": settings.log_group,
        PROGRESS_VARIABLE: settings.progress_table,
    }
    return {name: value for name, value in shared.items() if value is not None}


def encode(text: str) -> bytes:
    """Turn a message's text into bytes, also text with lone surrogates, which JSON escapes can produce."""
    return text.encode("utf-8", "surrogatepass")


def _variables(variables: Mapping[str, str]) -> dict[bytes, bytes]:
    pairs = ((name.encode(), encode(value)) for name, value in variables.items())
    return {name: value for name, value in pairs if len(name) + len(value) + 2 <= VARIABLE_LIMIT and b"\0" not in value}
