from __future__ import annotations

import os

from watchbot.line_writer import LineWriter


def test_lines_arrive_in_order() -> None:
    reading, writing = os.pipe()
    writer = LineWriter(writing)
    for number in range(100):
        writer(f"line {number}")
    writer.close(10)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read().splitlines() == [f"line {number}" for number in range(100)]


def test_a_reader_that_has_stopped_reading_blocks_nobody_and_what_was_dropped_is_counted() -> None:
    reading, writing = os.pipe()
    writer = LineWriter(writing)
    for _ in range(20_000):
        writer("x" * 999)
    # All twenty megabytes were taken or dropped before anyone read the first of them.
    with os.fdopen(reading) as pipe:
        held = dropped = 0
        while held + dropped < 20_000:
            line = pipe.readline()
            is_told = line.startswith("[watcher] ") and "dropped" in line
            held, dropped = (held, dropped + int(line.split()[1])) if is_told else (held + 1, dropped)
    assert (held + dropped, dropped > 0) == (20_000, True)
    os.close(writing)


def test_workers_leave_room_for_what_the_watcher_has_to_say() -> None:
    reading, writing = os.pipe()
    writer = LineWriter(writing)
    for _ in range(10_000):
        writer.worker_line("x" * 999)
    for _ in range(1_000):
        writer("y" * 999)
    with os.fdopen(reading) as pipe:
        seen = {"x": 0, "y": 0, "[": 0}
        while seen["y"] < 1_000:
            seen[pipe.readline()[0]] += 1
    os.close(writing)
    assert 4_000 <= seen["x"] < 10_000


def test_a_descriptor_that_does_not_block_loses_nothing() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    writer = LineWriter(writing)
    for number in range(5_000):
        writer(f"{number:099}")
    with os.fdopen(reading) as pipe:
        assert [int(pipe.readline()) for _ in range(5_000)] == list(range(5_000))
    writer.close(10)
    os.close(writing)


def test_a_reader_that_has_gone_away_harms_nobody() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LineWriter(writing)
    writer("nobody hears this")
    writer.close(10)
    writer("nor this")
    os.close(writing)
