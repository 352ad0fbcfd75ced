"""A query of CloudWatch Logs Insights: waited for, and stopped when nobody waits any more."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from rich.console import Console

from watchbot.contract import Event, LogFormat, Outcome
from watchbot.journal import Journal
from watchbot_cli.errors import CommandError
from watchbot_cli.jobs.insights import Insights
from watchbot_cli.jobs.search import event_pattern

_ROW = {"@timestamp": "2026-01-31 09:30:00.250", "@message": "x", "@logStream": "watchbot/watcher/1", "@ptr": "p"}


@pytest.fixture
def stubbed() -> Iterator[tuple[Any, Stubber]]:
    client: Any = boto3.client("logs", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        asked = {"logGroupName": "group", "startTime": 1, "endTime": 2, "queryString": ANY}
        stub.add_response("start_query", {"queryId": "q"}, asked)
        yield client, stub
        stub.assert_no_pending_responses()


def _ask(client: Any, waits: list[float]) -> list[int]:
    insights = Insights(client, "group", Console(quiet=True), waits.append)
    return [line.at for line in insights.newest("x", "watchbot/", 1, 2, 5)]


def test_a_query_is_waited_for(stubbed: tuple[Any, Stubber]) -> None:
    client, stub = stubbed
    for status in ("Scheduled", "Running", "Running", "Running"):
        answer: dict[str, Any] = {"status": status, "statistics": {"recordsScanned": 5.0}, "results": []}
        stub.add_response("get_query_results", answer, {"queryId": "q"})
    rows = [[{"field": name, "value": value} for name, value in _ROW.items()]]
    stub.add_response("get_query_results", {"status": "Complete", "results": rows}, {"queryId": "q"})
    waits: list[float] = []
    assert _ask(client, waits) == [1_769_851_800_250]
    assert waits == [0.25, 0.5, 1.0, 1.0]


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout"])
def test_a_query_that_fails_says_so(stubbed: tuple[Any, Stubber], status: str) -> None:
    client, stub = stubbed
    stub.add_response("get_query_results", {"status": status, "results": []})
    stub.add_client_error("stop_query", "InvalidParameterException")
    with pytest.raises(CommandError, match=f"ended the search as {status}: look less far back"):
        _ask(client, [])


def test_ctrl_c_stops_the_query(stubbed: tuple[Any, Stubber]) -> None:
    client, stub = stubbed
    stub.add_response("get_query_results", {"status": "Running", "results": []})
    stub.add_response("stop_query", {"success": True}, {"queryId": "q"})

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Insights(client, "group", Console(quiet=True), interrupted).newest("x", "watchbot/", 1, 2, 5)


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_the_pattern_finds_a_watchers_own_lines_and_no_others(log_format: LogFormat) -> None:
    lines: list[str] = []
    journal = Journal(lines.append, log_format, time.time)
    journal.event(Event.JOB_FINISHED, message_id="m", level="warning", outcome="failed", reason="x")
    journal.event(Event.JOB_FINISHED, message_id="m", outcome="succeeded", reason='"outcome": "failed"')
    journal.event(Event.JOB_STARTED, message_id="m", message='job.finished {"outcome": "failed"}')
    journal.worker_line("m", lines[0])
    finished, failed = event_pattern(Event.JOB_FINISHED), event_pattern(Event.JOB_FINISHED, [Outcome.FAILED])
    assert [bool(re.search(finished, line)) for line in lines] == [True, True, False, False]
    assert [bool(re.search(failed, line)) for line in lines] == [True, False, False, False]
