"""``python -m bench.scale``: a thousand tasks of one watcher, and ten thousand of ten, within AWS's limits."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from bench.machine import OtherPrograms, facts
from bench.scale.cluster import Life
from bench.scale.figures import targets
from bench.scale.report import as_json, show
from bench.scale.scenario import Scenario, play
from bench.scale.watchers import WatcherError

_WIDTH = 130

SCENARIOS = (
    Scenario("one watcher", watchers=1, workers=1000, life=Life(mean_seconds=300), new=2500, window_seconds=120),
    Scenario(
        # A tenth of ten thousand ends in a hundred seconds: half of what the account may launch in that time.
        "ten watchers",
        watchers=10,
        workers=1000,
        life=Life(mean_seconds=900),
        adopted=10_000,
        new=10_000,
        window_seconds=120,
    ),
)

QUICK = (
    Scenario(
        "two watchers",
        watchers=2,
        workers=15,
        life=Life(start_seconds=(0.2, 0.6), mean_seconds=2, failing_share=0.2, hidden_seconds=0.5),
        adopted=10,
        new=90,
        settled=40,
    ),
)


def main() -> int:
    """Measure and report; 0 when every target is held, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale",
        description=__doc__,
        epilog="python -m bench.scale --json bench/results/scale.json   # about ten minutes; let nothing else run",
    )
    parser.add_argument(
        "--quick", action="store_true", help="thirty tasks of two watchers, to see that it works; no figures to quote"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every raw figure to FILE")
    arguments = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("the bench reads /proc, which only Linux has")
    talk = Console(stderr=True)
    machine = facts(("watchbot-runtime", "boto3"), {})
    others = OtherPrograms()
    try:
        with talk.status("") as status:
            findings = [play(scenario, status.update) for scenario in (QUICK if arguments.quick else SCENARIOS)]
    except WatcherError as error:
        sys.exit(str(error))
    machine["used_by_other_programs"] = others.share()
    judged = [target for found in findings for target in targets(found)]
    show(Console() if sys.stdout.isatty() else Console(width=_WIDTH), machine, findings, judged)
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(as_json(machine, findings, judged) + "\n")
    return 1 if any(one.held is False for one in judged) else 0


if __name__ == "__main__":
    sys.exit(main())
