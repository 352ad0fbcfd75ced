"""``python -m watchbot``: what the watcher image runs."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    # Before anything else: a blocked signal stays pending until someone takes it. As PID 1 it would be dropped.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from watchbot.contract import SettingsError
from watchbot.stop_signals import end_on_signals
from watchbot.worker_environment import adopt_environment, container_environment, received_environment

_USAGE = """\
usage: python -m watchbot listen [-- COMMAND ARG...]
       python -m watchbot install DIRECTORY [--scratch DIRECTORY]

listen receives messages from the queue in WATCHBOT_QUEUE_URL and runs COMMAND for each of them;
with WATCHBOT_CLUSTER and WATCHBOT_TASK_DEFINITION it runs an ECS task for each instead.

  WATCHBOT_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/jobs \\
      python -m watchbot listen -- python work.py

install copies the watcher image's runtime into a directory, usually a volume, from where it runs in a
container of any image, and opens another directory to every user, for the workers' files.

  python -m watchbot install /opt/watchbot --scratch /var/watchbot
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 when it is done, 1 when it failed, 2 when it was asked for something that cannot be."""
    match list(arguments):
        case ["--environment", descriptor, *rest] if descriptor.isdecimal():
            container = received_environment(int(descriptor))
            adopt_environment(container)
        case rest:
            container = container_environment()
    match rest:
        case ["listen"] | ["listen", "--"]:
            return _listen([], container)
        case ["listen", "--", *command]:
            return _listen(command, container)
        case ["install", directory] if not directory.startswith("-"):
            return _install(directory, None)
        case ["install", directory, "--scratch", scratch] if not directory.startswith("-"):
            return _install(directory, scratch)
        case ["-h" | "--help"] | ["listen" | "install", "-h" | "--help"]:
            sys.stdout.write(_USAGE)
            return 0
        case _:
            sys.stderr.write(f"watchbot: cannot make sense of {' '.join(rest)!r}\n{_USAGE}")
            return 2


def _listen(command: Sequence[str], container: dict[bytes, bytes]) -> int:
    from watchbot.listen import listen

    try:
        return listen(command, os.environ, container)
    except SettingsError as error:
        sys.stderr.writelines(f"watchbot: {problem}\n" for problem in error.problems)
        return 2


def _install(directory: str, scratch: str | None) -> int:
    end_on_signals()
    from watchbot.install import InstallError, install

    try:
        install(Path(sys.prefix), Path(directory), None if scratch is None else Path(scratch))
    except InstallError as error:
        sys.stderr.write(f"watchbot: {error}\n")
        return 1
    return 0


def _open_standard_descriptors() -> None:
    """Have something behind 0, 1 and 2: where one is closed, a socket of ours would get its number, and our log."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    _open_standard_descriptors()
    exit_code = main(sys.argv[1:])
    # A long poll that is still open has a thread of its own, which a normal exit would wait for.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)
