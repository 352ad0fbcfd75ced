"""``python -m bench``: every contender on every course in turn, three times, and what became of the targets."""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.contender import (
    MAPBOX,
    MAPBOX_KEPT,
    ONE_SLOT,
    SPAWN_LOOP,
    SQS_CONSUMER,
    WATCHBOT,
    Contender,
    install_peers,
    peers,
    spawn_loop,
    version_files,
    watchbot,
)
from bench.figures import SLEEP_FAR, TRUE_FAR, TRUE_NEAR, added_wait, targets
from bench.latency import LONG_POLL, pickups
from bench.machine import OtherPrograms, facts
from bench.race import RaceError, Run, Track
from bench.report import as_json, show
from watchbot_cli.local.emulator import Emulator

_ROUND_TRIP_SECONDS = 0.015
_SAMPLES = 60
_WIDTH = 130


@dataclasses.dataclass(frozen=True, slots=True)
class Course:
    """A command and a network, and how many messages each contender gets: a few seconds of work."""

    title: str
    command: Sequence[str]
    delay_seconds: float
    messages: dict[str, int]


COURSES = (
    Course(
        TRUE_NEAR,
        ["true"],
        0.0,
        {WATCHBOT: 3000, ONE_SLOT: 600, SPAWN_LOOP: 3000, MAPBOX: 400, MAPBOX_KEPT: 400, SQS_CONSUMER: 1500},
    ),
    Course(
        TRUE_FAR,
        ["true"],
        _ROUND_TRIP_SECONDS,
        {WATCHBOT: 3000, ONE_SLOT: 200, SPAWN_LOOP: 1000, MAPBOX: 100, MAPBOX_KEPT: 100, SQS_CONSUMER: 800},
    ),
    Course(
        SLEEP_FAR,
        ["sleep", "0.1"],
        _ROUND_TRIP_SECONDS,
        {WATCHBOT: 2000, MAPBOX: 40, MAPBOX_KEPT: 40, SQS_CONSUMER: 300},
    ),
)


def race(
    track: Track, contenders: Sequence[Contender], rounds: int, share: float, advance: Callable[[str], None]
) -> dict[str, dict[str, list[Run]]]:
    """Have them run in turn, so that what else the machine does meets all of them alike."""
    runs: dict[str, dict[str, list[Run]]] = {course.title: {} for course in COURSES}
    for course in COURSES:
        for _ in range(rounds):
            for one in contenders:
                if one.name in course.messages:
                    count = max(20, round(course.messages[one.name] * share))
                    advance(f"{one.name}, {course.title}")
                    run = track.run(one, course.command, count, course.delay_seconds)
                    runs[course.title].setdefault(one.name, []).append(run)
    return runs


def field(talk: Console) -> list[Contender]:
    """Give everyone who can run here."""
    contenders = [watchbot(), watchbot(1, ONE_SLOT), spawn_loop()]
    talk.print("having npm install the peers, if they are not there")
    missing = install_peers()
    if missing is None:
        return contenders + peers(shutil.which("node") or "node")
    talk.print(f"skipping {MAPBOX} and {SQS_CONSUMER}: {missing}")
    return contenders


def main() -> int:
    """Measure and report; 0 when every target that could be measured is held, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one short round, to see that it works; its figures say little"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every raw figure to FILE")
    arguments = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("the bench reads /proc, which only Linux has")
    talk = Console(stderr=True)
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    contenders = field(talk)
    machine = facts(("watchbot-runtime", "boto3", "ministack"), version_files())
    others = OtherPrograms()
    rounds, share, samples = (1, 0.1, 10) if arguments.quick else (3, 1.0, _SAMPLES)
    with _progress(talk) as progress, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        entered = [sum(one.name in course.messages for one in contenders) for course in COURSES]
        bar = progress.add_task("", total=rounds * sum(entered) + 2)

        def advance(what: str) -> None:
            progress.update(bar, advance=1, description=what)

        with Emulator(Path(folder)) as emulator:
            track = Track(emulator, Path(folder))
            try:
                runs = race(track, contenders, rounds, share, advance)
                waits = pickups(emulator, track, samples, advance)
            except RaceError as error:
                sys.exit(str(error))
    machine["used_by_other_programs"] = others.share()
    slots = {one.name: one.slots for one in contenders}
    judged = targets(runs, added_wait(waits, LONG_POLL.name))
    show(console, machine, runs, slots, waits, judged)
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(as_json(machine, runs, slots, waits, judged) + "\n")
    return 1 if any(one.held is False for one in judged) else 0


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:<45}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


if __name__ == "__main__":
    sys.exit(main())
