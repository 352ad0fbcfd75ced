from __future__ import annotations

import json

import pytest

from watchbot.contract import Event, LogFormat
from watchbot.journal import Journal, parse_line


def _write(log_format: LogFormat) -> tuple[Journal, list[str]]:
    lines: list[str] = []
    return Journal(lines.append, log_format, lambda: 1518213475.25), lines


def test_text_keeps_the_shape_that_people_grep_for() -> None:
    journal, lines = _write(LogFormat.TEXT)
    journal.event(Event.JOB_FINISHED, message_id="id", outcome="succeeded", reason=None)
    journal.worker_line("id", "hello")
    journal.event(Event.QUEUE_ERROR, level="error", reason="x")
    assert lines == [
        '[Fri, 09 Feb 2018 21:57:55 GMT] [watcher] [id] job.finished {"outcome": "succeeded"}',
        "[Fri, 09 Feb 2018 21:57:55 GMT] [worker] [id] hello",
        '[Fri, 09 Feb 2018 21:57:55 GMT] [watcher] [error] queue.error {"reason": "x"}',
    ]


def test_a_workers_json_cannot_overwrite_ours() -> None:
    journal, lines = _write(LogFormat.JSON)
    journal.worker_line("id", '{"time": "never", "message_id": "forged", "source": "watcher"}')
    entry = json.loads(lines[0])
    assert (entry["time"], entry["source"], entry["message_id"]) == ("2018-02-09T21:57:55.250Z", "worker", "id")
    assert entry["worker"] == {"time": "never", "message_id": "forged", "source": "watcher"}


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_what_is_written_is_read_back(log_format: LogFormat) -> None:
    journal, lines = _write(log_format)
    journal.event(Event.JOB_FINISHED, message_id="id", level="warning", outcome="failed", exit_code=1)
    journal.worker_line("id", "hello [x] {")
    finished, spoken = (parse_line(line) for line in lines)
    assert finished is not None
    assert spoken is not None
    assert (finished.source, finished.message_id, finished.event) == ("watcher", "id", "job.finished")
    assert (finished.level, finished.fields) == ("warning", {"outcome": "failed", "exit_code": 1})
    assert (spoken.source, spoken.message_id, spoken.line) == ("worker", "id", "hello [x] {")


@pytest.mark.parametrize(
    "line", ["", "hello", "{", "[1]", '{"source": 1}', '{"a": 1}', "[x] [watcher] y", "{" * 100_000]
)
def test_a_line_of_someone_else_is_no_entry_and_no_error(line: str) -> None:
    entry = parse_line(line)
    assert entry is None or entry.event is None
