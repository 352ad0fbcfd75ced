"""``python -m bench.progress``: a job of a million parts on a DynamoDB that counts and refuses as AWS does."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.table import Table as Grid

from bench.progress.dynamodb import SimulatedDynamoDb
from watchbot.progress import Progress
from watchbot.progress.metadata import METADATA_LIMIT
from watchbot.progress.progress import REASON_LIMIT
from watchbot.progress.table import Table

LARGEST_ITEM = 100 * 1024
WRITE_UNITS = 1.01
READ_UNITS = 2.03
"""A part: its job's head, and its shard; the hundredths are for parts that are done twice, and for the shards that two
write at the same time."""


def main() -> int:
    """Measure and report; 0 when every target is held, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.progress", description=__doc__)
    parser.add_argument("--parts", type=int, default=1_000_000, help="how many parts (default: a million; minutes)")
    parser.add_argument(
        "--repeated", type=float, default=0.01, help="the share that is completed twice (default: 0.01)"
    )
    arguments = parser.parse_args()
    database = SimulatedDynamoDb()
    progress = Progress(Table(database, "progress"))
    progress.set_total("job", arguments.parts)
    seconds, told = _complete(progress, arguments.parts, arguments.repeated)
    rows, held = _figures(database, progress, arguments.parts, seconds, told)
    grid = Grid("a job of", f"{arguments.parts:,} parts", title_justify="left")
    for row in rows:
        grid.add_row(*row)
    Console().print(grid)
    return 0 if held else 1


def _complete(progress: Progress, parts: int, repeated: float) -> tuple[float, int]:
    """Complete every part in a random order, four at a time; gives the time and how often "last" was told."""
    chance = random.Random(1)
    order = [*range(1, parts + 1), *chance.sample(range(1, parts + 1), int(parts * repeated))]
    chance.shuffle(order)
    begin = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        told = sum(pool.map(lambda share: sum(progress.complete_part("job", part) for part in share), _shares(order)))
    return time.monotonic() - begin, told


def _burden(progress: Progress, job: str) -> None:
    """Keep with a job as much as may be kept."""
    metadata = {f"{number:03}" + "k" * 300: "v" * 300 for number in range(100)}
    progress.set_metadata(job, metadata)
    progress.set_metadata(job, {"last": "v" * (METADATA_LIMIT - len(json.dumps({**metadata, "last": ""})))})
    progress.fail_job(job, "\u2603" * REASON_LIMIT)


def _shares(order: list[int]) -> list[list[int]]:
    return [order[start : start + 1000] for start in range(0, len(order), 1000)]


def _figures(
    database: SimulatedDynamoDb, progress: Progress, parts: int, seconds: float, told: int
) -> tuple[list[tuple[str, str]], bool]:
    writes, reads = database.write_units / parts, database.read_units / parts
    progress.set_total("open", parts)
    for part in range(1, min(parts, 1000) + 1):
        progress.complete_part("open", part)
    _burden(progress, "open")
    calls, units = sum(database.calls.values()), database.read_units
    status = progress.status("open")
    calls, units = sum(database.calls.values()) - calls, database.read_units - units
    rows = [
        ('"last" was told', f"{told} time(s)"),
        ("write units a part", f"{writes:.4f}"),
        ("read units a part", f"{reads:.4f}"),
        ("largest item", f"{database.largest:,} bytes"),
        ("reads for a status while it runs, with all the metadata that may be", f"{calls} calls, {units} read units"),
        ("parts a second in this process", f"{parts / seconds:,.0f}"),
    ]
    done = progress.status("job").progress == 1 and status.progress < 1
    cheap = writes <= WRITE_UNITS and reads <= READ_UNITS and calls <= 4
    return rows, told == 1 and cheap and database.largest <= LARGEST_ITEM and done


if __name__ == "__main__":
    sys.exit(main())
