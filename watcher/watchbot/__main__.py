"""``python -m watchbot``: what the watcher image runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from watchbot.contract import SettingsError

_USAGE = """\
usage: python -m watchbot listen [-- COMMAND ARG...]

Receives messages from the queue in WATCHBOT_QUEUE_URL and runs COMMAND for each of them;
with WATCHBOT_CLUSTER and WATCHBOT_TASK_DEFINITION it runs an ECS task for each instead.

  WATCHBOT_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/jobs \\
      python -m watchbot listen -- python work.py
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 when it is done, 1 when it failed, 2 when it was asked for something that cannot be."""
    match list(arguments):
        case ["listen"] | ["listen", "--"]:
            command: list[str] = []
        case ["listen", "--", *command]:
            pass
        case ["-h" | "--help"] | ["listen", "-h" | "--help"]:
            sys.stdout.write(_USAGE)
            return 0
        case _:
            sys.stderr.write(f"watchbot: cannot make sense of {' '.join(arguments)!r}\n{_USAGE}")
            return 2
    from watchbot.listen import listen

    try:
        return listen(command, os.environ)
    except SettingsError as error:
        sys.stderr.writelines(f"watchbot: {problem}\n" for problem in error.problems)
        return 2


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
