"""``python -m watchbot install``: brings the runtime of the watcher image to where another image can run it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


class InstallError(Exception):
    """The runtime could not be brought; the text names the directory and says why."""


def install(runtime: Path, directory: Path, scratch: Path | None) -> None:
    """Copy ``runtime`` into ``directory``, and let every user create files in ``scratch``.

    ECS makes volumes that belong to root with mode 0755, so an init container has to do both as root
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html). What was installed before is
    written over. Raises :class:`InstallError`.
    """
    if not (runtime / "start").is_file():
        raise InstallError(
            f"{runtime} is not the runtime of the watcher image, which alone can run in other images: "
            "run this in a container of that image"
        )
    try:
        shutil.copytree(runtime, directory, symlinks=True, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise InstallError(f"cannot install into {directory}: {_first_reason(error)}") from error
    if scratch is None:
        return
    try:
        # As /tmp: everyone may create files there, and remove only their own.
        scratch.chmod(0o1777)
    except OSError as error:
        raise InstallError(f"cannot open {scratch} to every user: {error.strerror}") from error


def _first_reason(error: OSError) -> str:
    """Say why; copytree collects one reason a file, and the first tells them all."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        return str(error.args[0][0][2])
    return os.strerror(error.errno) if error.errno is not None else str(error)
