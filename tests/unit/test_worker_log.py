from __future__ import annotations

import asyncio
import json
import os

from tests.simulation.virtual_time import run_virtual
from watchbot.contract import LogFormat
from watchbot.journal import Journal
from watchbot.metrics import Metrics
from watchbot.output import Output
from watchbot.worker_log import WorkerLog


def test_a_flood_is_cut_to_its_rate_and_counted_to_the_line() -> None:
    async def scenario() -> tuple[list[str], list[str]]:
        lines: list[str] = []
        metric_lines: list[str] = []
        metrics = Metrics("svc", metric_lines.append, lambda: 0.0)
        log = WorkerLog(Journal(lines.append, LogFormat.JSON, lambda: 0.0), metrics, 100_000)
        reading, writing = os.pipe()
        output = Output(reading, log.of_job("id"))
        for _ in range(100):
            # A pipe holds 64 KiB: written and taken in turns, a hundred times over.
            os.write(writing, b"x" * 99 + b"\n" + (b"y" * 99 + b"\n") * 599)
            await asyncio.sleep(0.01)
        os.close(writing)
        output.finish()
        metrics.flush()
        return lines, metric_lines

    lines, metric_lines = run_virtual(scenario())
    entries = [json.loads(line) for line in lines]
    kept = [entry for entry in entries if entry["source"] == "worker"]
    dropped = sum(entry["lines"] for entry in entries if entry["source"] == "watcher")
    assert len(kept) + dropped == 60_000
    # Four seconds' worth at once and one second's more; a line of a hundred bytes costs two hundred in the log.
    assert 1_700 <= len(kept) <= 2_600
    assert json.loads(metric_lines[0])["LogLinesDropped"] == dropped


def test_no_line_of_a_quiet_worker_is_lost_beside_a_flood() -> None:
    """A flood took what the rate gave in the very moment, and a line that came in the next one was dropped."""

    async def scenario() -> list[str]:
        lines: list[str] = []
        metrics = Metrics("svc", lambda _: None, lambda: 0.0)
        log = WorkerLog(Journal(lines.append, LogFormat.JSON, lambda: 0.0), metrics, 100_000)
        flood_end, flood = os.pipe()
        quiet_end, quiet = os.pipe()
        outputs = Output(flood_end, log.of_job("flood")), Output(quiet_end, log.of_job("quiet"))
        for number in range(100):
            # Five times the rate, in pieces so small that next to nothing is left of it at any time.
            for _ in range(200):
                os.write(flood, bytes(50))
                await asyncio.sleep(0.0001)
            os.write(quiet, b"good %d\n" % number)
            await asyncio.sleep(0.0001)
        os.close(flood)
        os.close(quiet)
        for output in outputs:
            output.finish()
        return lines

    entries = [json.loads(line) for line in run_virtual(scenario())]
    spoken = [entry["line"] for entry in entries if entry["message_id"] == "quiet" and entry["source"] == "worker"]
    assert spoken == [f"good {number}" for number in range(100)]
    assert {entry["message_id"] for entry in entries if entry["source"] == "watcher"} == {"flood"}


def test_a_line_that_was_begun_or_ended_in_a_flood_is_missing_whole_and_counted() -> None:
    class Refusing:
        """Allows what comes while ``open`` says so."""

        def __init__(self) -> None:
            self.open = True
            self.lines: list[str] = []
            self.missing = 0

        def allows(self, size: int) -> bool:
            return self.open

        def line(self, text: str) -> None:
            self.lines.append(text)

        def dropped(self, count: int) -> None:
            self.missing += count

    async def scenario() -> Refusing:
        lines = Refusing()
        reading, writing = os.pipe()
        output = Output(reading, lines)
        for is_open, text in ((True, b"one\n"), (False, b"two\nthr"), (True, b"ee\nfour\n"), (False, b"x" * 1000)):
            lines.open = is_open
            os.write(writing, text)
            await asyncio.sleep(0.01)
        os.close(writing)
        output.finish()
        return lines

    lines = run_virtual(scenario())
    assert lines.lines == ["one", "four"]
    assert lines.missing == 3
