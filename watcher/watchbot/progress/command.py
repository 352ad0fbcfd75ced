"""``watchbot-progress``: the progress of jobs, for workers in any language and for people.

What a command finds is JSON on standard output. Exit code 0 means done, 1 that it was not, with the reason on standard
error.
"""

from __future__ import annotations

import argparse
import errno
import itertools
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from watchbot import __version__
from watchbot.progress.convention import JOB_FIELD, PART_FIELD
from watchbot.progress.errors import InvalidValueError, ProgressError
from watchbot.progress.part import Part
from watchbot.progress.part_lines import PartLines
from watchbot.progress.progress import Progress
from watchbot.progress.publishing import map_reduce
from watchbot.progress.topic import Topic
from watchbot.strict_json import without_nan

_DESCRIPTION = """\
The progress of jobs that are made of parts, in the table whose ARN is in the environment variable ProgressTable.
Messages go to the topic whose ARN is in WorkTopic.

commands:
  map-reduce JOB [-t TOTAL] [-m JSON]
                                start a job, and send a message for each of its parts: standard input has a line with a
                                JSON object for each, the part's own fields; with -t, neither more nor fewer
  set-total JOB -t TOTAL        create a job of parts 1 to TOTAL; the same again changes nothing
  complete-part JOB -p PART     a part is done; prints true for the one call that completed the job, else false
  complete-part JOB -p PART --reduce
                                the same, and send the reduce message when the job is complete; prints whether it was
  status JOB [-p PART]          how far the job is, and whether this part is done
  pending JOB [--limit COUNT]   the parts that are not done, in order, one a line
  set-metadata JOB -m JSON      keep the values of this JSON object with the job, each under its key
  fail-job JOB -r REASON        mark the job as failed
  reduce-sent JOB               the reduce message was sent; prints true for the first call, else false
  list                          all jobs, a JSON object a line; reads the whole table
  delete JOB [-y | --dry-run]   forget the job
"""

_EXAMPLE = """\
example:
  printf '{"tile": %d}\\n' 1 2 3 | watchbot-progress map-reduce "$MessageId"
  watchbot-progress complete-part "$job" -p "$part" --reduce
"""


class _UsageError(Exception):
    """The command line makes no sense."""


class _StreamError(ProgressError):
    """Nobody takes what was found, or what was asked for cannot be read."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``watchbot-progress``; 0 when it is done, else 1."""
    parser = _parser()
    try:
        # Options may stand before the job's id, too.
        given = parser.parse_intermixed_args(arguments)
        _check(given)
        # The table first, so that a missing variable is told with the help, as any other mistake of the caller.
        return _run(given, Progress())
    except (_UsageError, InvalidValueError) as error:
        sys.stderr.write(f"watchbot-progress: {error}\n\n{parser.format_help()}")
    except ProgressError as error:
        sys.stderr.write(f"watchbot-progress: {error}\n")
    except KeyboardInterrupt:
        sys.stderr.write("watchbot-progress: interrupted\n")
    return 1


def _parser() -> _Parser:
    parser = _Parser(
        prog="watchbot-progress",
        usage="%(prog)s COMMAND [JOB] [options]",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", choices=_OPTIONS, help=argparse.SUPPRESS)
    parser.add_argument("job", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("-t", "--total", type=_whole, help="how many parts the job has")
    parser.add_argument("-p", "--part", type=_whole, help="a part, from 1 to the job's total")
    parser.add_argument("-m", "--metadata", help="a JSON object")
    parser.add_argument("--reduce", action="store_true", help="send the reduce message when the job is complete")
    parser.add_argument("-r", "--reason", help="why the job failed")
    parser.add_argument("--limit", type=_whole, help="print so many at most")
    parser.add_argument("-y", "--yes", action="store_true", help="delete without asking")
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _whole(text: str) -> int:
    # int takes more, such as 1_0.
    if not re.fullmatch("-?[0-9]{1,20}", text):
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}")
    return int(text)


_OPTIONS: dict[str, tuple[set[str], set[str]]] = {
    "status": (set(), {"part"}),
    "pending": (set(), {"limit"}),
    "map-reduce": (set(), {"total", "metadata"}),
    "set-total": ({"total"}, set()),
    "set-metadata": ({"metadata"}, set()),
    "complete-part": ({"part"}, {"reduce"}),
    "fail-job": ({"reason"}, set()),
    "reduce-sent": (set(), set()),
    "list": (set(), set()),
    "delete": (set(), {"yes", "dry_run"}),
}
"""The commands, each with the options that it cannot do without, and those that it can."""


def _check(given: argparse.Namespace) -> None:
    needed, allowed = _OPTIONS[given.command]
    if given.command == "list" and given.job is not None:
        raise _UsageError(f"list is of all jobs, got {given.job!r}")
    if given.command != "list" and not given.job:
        raise _UsageError(f"{given.command} needs the id of a job")
    for option in sorted(needed):
        if getattr(given, option) is None:
            raise _UsageError(f"{given.command} needs --{option}")
    options = {name for name, value in vars(given).items() if value is not None and value is not False}
    for option in sorted(options - needed - allowed - {"command", "job"}):
        # An option that is not heeded is worse than none: with --dry-run nothing must be done.
        raise _UsageError(f"{given.command} takes no --{option.replace('_', '-')}")
    if given.limit is not None and given.limit < 1:
        raise InvalidValueError("limit", given.limit, "a whole number from 1")
    if given.metadata is not None:
        given.metadata = _parsed(given.metadata)


def _parsed(metadata: str) -> Any:
    try:
        parsed = json.loads(metadata)
    except (ValueError, RecursionError):
        raise _UsageError("Could not parse provided metadata") from None
    if not isinstance(parsed, dict):
        raise InvalidValueError("metadata", parsed, "a JSON object")
    return parsed


def _run(given: argparse.Namespace, progress: Progress) -> int:
    match given.command:
        case "map-reduce":
            map_reduce(_parts(given), job_id=given.job, metadata=given.metadata, progress=progress)
        case "set-total":
            progress.set_total(given.job, given.total)
        case "complete-part" if given.reduce:
            # The topic first: a missing variable had better be told of by the first part than by the last.
            message = {JOB_FIELD: given.job, PART_FIELD: given.part}
            _print(Part(message, progress=progress, topic=Topic.of_arn()).complete())
        case "complete-part":
            _print(progress.complete_part(given.job, given.part))
        case "status":
            _print(progress.status(given.job, given.part).as_json())
        case "pending":
            for part in itertools.islice(progress.pending(given.job), given.limit):
                _print(part)
        case "set-metadata":
            progress.set_metadata(given.job, given.metadata)
        case "fail-job":
            progress.fail_job(given.job, given.reason)
        case "reduce-sent":
            _print(progress.reduce_sent(given.job))
        case "list":
            for summary in progress.list():
                _print(summary.as_json())
        case _:
            return _delete(given, progress)
    return 0


def _parts(given: argparse.Namespace) -> PartLines:
    try:
        parts = PartLines(() if sys.stdin is None else sys.stdin.buffer, given.job, given.metadata)
    except OSError as error:
        raise _StreamError(f"standard input cannot be read: {error.strerror}") from error
    # A pipe whose writer has died looks like one that has come to its end.
    if given.total not in (None, len(parts)):
        raise InvalidValueError("lines", len(parts), f"as many as the total, which is {given.total}")
    return parts


def _delete(given: argparse.Namespace, progress: Progress) -> int:
    total = progress.job(given.job).total
    what = f"job {given.job!r} of {total} parts"
    if given.dry_run:
        sys.stderr.write(f"would delete {what}\n")
        return 0
    if not given.yes and not _agreed(what):
        sys.stderr.write("nothing was deleted\n")
        return 1
    progress.delete(given.job)
    return 0


def _agreed(what: str) -> bool:
    if not sys.stdin.isatty():
        raise _UsageError("delete needs --yes where nobody can be asked")
    sys.stderr.write(f"delete {what}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _print(value: object) -> None:
    try:
        if sys.stdout is None:  # it was closed before we started
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        sys.stdout.write(f"{json.dumps(without_nan(value), allow_nan=False)}\n")
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer must not fail a second time when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise _StreamError(f"standard output cannot be written to: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
