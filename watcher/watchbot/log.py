"""For workers: log lines that carry the message's id. ``watchbot-log`` is the same as a command.

With Isolation.PROCESS the watcher puts the id before every line that a worker writes anyway; in a task of its own
(Isolation.TASK) a worker's lines are found by their id only if they carry it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TextIO

from watchbot.contract import MESSAGE_ID_VARIABLE, LogFormat
from watchbot.journal import Journal

_USAGE = """\
usage: watchbot-log [TEXT...]

Writes TEXT, or else every line of standard input, as a log line with the message's id.

  watchbot-log "42 tiles rendered"
  render --verbose 2>&1 | watchbot-log
"""


def log(text: str) -> None:
    """Write text to standard output, with the message's id before every line of it."""
    _write(text, os.environ, sys.stdout)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``watchbot-log``; 0 when everything was written."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words in (["-h"], ["--help"]):
        sys.stdout.write(_USAGE)
        return 0
    if words:
        log(" ".join(words))
        return 0
    for line in sys.stdin:
        log(line)
    return 0


def _write(text: str, environment: Mapping[str, str], stream: TextIO) -> None:
    message_id = environment.get(MESSAGE_ID_VARIABLE)
    if "MessageFile" in environment:
        message_id = None  # a watcher reads these lines, and adds the id itself

    def write(line: str) -> None:
        stream.write(f"{line}\n")

    journal = Journal(write, LogFormat.TEXT, time.time)
    for line in text.splitlines() or [""]:
        if message_id is None:
            write(line)
        else:
            journal.worker_line(message_id, line)
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())
