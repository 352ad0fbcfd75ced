"""What twenty thousand parts cost; ``make bench-progress`` does it with a million."""

from __future__ import annotations

import random

import pytest
from bench.progress.dynamodb import SimulatedDynamoDb

from watchbot.progress import Progress
from watchbot.progress.job import MOST_PARTS, Job
from watchbot.progress.table import Table

PARTS = 20_000


@pytest.fixture(scope="module")
def database() -> SimulatedDynamoDb:
    database = SimulatedDynamoDb()
    progress = _progress(database)
    progress.set_total("job", PARTS)
    order = list(range(1, PARTS + 1))
    random.Random(1).shuffle(order)
    *earlier, last = order
    assert [part for part in earlier if progress.complete_part("job", part)] == []
    assert progress.status("job", last).remaining == 1
    assert progress.complete_part("job", last)
    return database


def _progress(database: SimulatedDynamoDb) -> Progress:
    return Progress(Table(database, "progress"))


def test_a_part_is_one_write_unit_and_two_read_units(database: SimulatedDynamoDb) -> None:
    # One write more for each of the 199 shards, which is noise in a million parts.
    assert database.write_units <= PARTS + 199 + 1
    assert database.read_units <= 2 * PARTS + 201


def test_no_item_grows(database: SimulatedDynamoDb) -> None:
    assert database.largest < 1024
    largest = Job.new("job", "0" * 32, MOST_PARTS, 0, 0)
    assert -(-largest.parts_in(0) // 8) < 7000


def test_a_status_is_three_reads_and_two_when_all_is_done(database: SimulatedDynamoDb) -> None:
    progress = _progress(database)
    progress.set_total("other", PARTS)
    assert _calls(database, lambda: progress.status("other")) == {"GetItem": 1, "BatchGetItem": 2}
    assert _calls(database, lambda: progress.status("job")) == {"GetItem": 1, "BatchGetItem": 1}


def test_a_start_is_one_write_however_many_parts(database: SimulatedDynamoDb) -> None:
    progress = _progress(database)
    assert _calls(database, lambda: progress.set_total("million", 1_000_000)) == {"PutItem": 1}


@pytest.mark.parametrize("total", [1, 2, 198, 199, 200, 398, 399, 1_000_000, MOST_PARTS])
def test_every_part_has_a_bit_of_its_own_and_neighbours_are_apart(total: int) -> None:
    job = Job.new("job", "born", total, 0, 0)
    assert sum(map(job.parts_in, job.open)) == total
    some = range(1, total + 1) if total <= 1000 else [*range(1, 500), *range(total - 500, total + 1)]
    places = [job.place_of(part) for part in some]
    assert len(set(places)) == len(places)
    assert all(bit < job.parts_in(shard) for shard, bit in places)
    if total >= 199:
        assert len({shard for shard, _ in places[:199]}) == 199


def _calls(database: SimulatedDynamoDb, call: object) -> dict[str, int]:
    database.calls.clear()
    assert callable(call)
    call()
    return database.calls
