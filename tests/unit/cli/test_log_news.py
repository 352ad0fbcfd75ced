"""Following a log: every line once, in order, also late ones and those behind a failure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from rich.console import Console

from watchbot.contract import Isolation
from watchbot_cli.logs.following import follow
from watchbot_cli.logs.line import Line
from watchbot_cli.logs.log import Log
from watchbot_cli.logs.news import News
from watchbot_cli.logs.printing import Printer
from watchbot_cli.logs.wanted import about, everything, of_task

_WATCHER = "watchbot/watcher/1"
_NOW = 1_000_000


class _Logs:
    """A CloudWatch Logs of two events a page, which fails when it has given so many pages."""

    def __init__(self) -> None:
        self.events: list[tuple[int, str, str]] = []
        self.fails_after: int | None = None
        self.error: Exception = EndpointConnectionError(endpoint_url="x")

    def write(self, at: int, text: str, stream: str = _WATCHER) -> None:
        self.events.append((at, stream, text))

    def get_paginator(self, name: str) -> _Logs:
        assert name == "filter_log_events"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        words = [word.strip('"') for word in asked.get("filterPattern", "").split()]
        found: list[dict[str, Any]] = [
            {"eventId": str(number), "timestamp": at, "logStreamName": stream, "message": text}
            for number, (at, stream, text) in enumerate(self.events)
            if at >= asked["startTime"]
            and all(word in text for word in words)
            and stream in asked.get("logStreamNames", [stream])
            and stream.startswith(asked.get("logStreamNamePrefix", ""))
        ]
        found.sort(key=lambda event: event["timestamp"])
        for start in range(0, len(found) + 1, 2):
            if self.fails_after == 0:
                self.fails_after = None
                raise self.error
            if self.fails_after is not None:
                self.fails_after -= 1
            yield {"events": found[start : start + 2]}


def _news(logs: _Logs, now: float = _NOW / 1000) -> News:
    return News(Log(logs, "group", Isolation.TASK), everything(), 0, lambda: now)


def _texts(news: News) -> list[str]:
    return [line.text for line in news.lines()]


def test_a_line_is_given_once_and_a_late_one_when_it_comes() -> None:
    logs = _Logs()
    news = _news(logs)
    logs.write(100_000, "b")
    logs.write(99_000, "a")
    assert _texts(news) == ["a", "b"]
    logs.write(50_000, "late")
    logs.write(100_000, "c")
    assert _texts(news) == ["late", "c"]
    assert _texts(news) == []


def test_a_clock_that_is_ahead_hides_nothing() -> None:
    logs = _Logs()
    news = _news(logs)
    logs.write(_NOW + 3_600_000, "from the future")
    assert _texts(news) == ["from the future"]
    logs.write(_NOW, "from now")
    assert _texts(news) == ["from now"]


def test_what_was_given_is_forgotten_once_it_cannot_come_again() -> None:
    logs = _Logs()
    news = _news(logs)
    for number in range(200):
        logs.write(number * 10_000, str(number))
    assert len(_texts(news)) == 200
    assert len(news._given) < 110
    assert _texts(news) == []


@pytest.mark.parametrize("pages", range(5))
def test_a_failure_at_any_page_loses_and_repeats_no_line(pages: int) -> None:
    logs = _Logs()
    logs.fails_after = pages
    for number in range(7):
        logs.write(number, str(number))
    shown: list[str] = []
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(_news(logs), lambda line: shown.append(line.text), Console(quiet=True), wait)
    assert shown == [*map(str, range(7))]
    assert waits == ([4.0, 2.0, 2.0] if pages < 4 else [2.0, 4.0, 2.0])


def test_refuses_to_follow_what_may_not_be_read() -> None:
    logs = _Logs()
    logs.fails_after = 0
    logs.error = ClientError({"Error": {"Code": "AccessDeniedException"}}, "FilterLogEvents")
    with pytest.raises(ClientError):
        follow(_news(logs), lambda _: None, Console(quiet=True), lambda _: None)


def test_tasks_of_a_message_are_followed_from_their_start_in_order_with_its_own_lines() -> None:
    logs = _Logs()
    news = News(Log(logs, "group", Isolation.TASK), about("m-1"), 0, lambda: _NOW / 1000, "m-1")
    assert _texts(news) == []
    logs.write(1, '[x GMT] [watcher] [m-1] task.started {"task": "arn:task/c/abc"}')
    logs.write(2, "works", "watchbot/worker/abc")
    logs.write(2, "of another", "watchbot/worker/other")
    logs.write(3, "[x GMT] [worker] [m-1] by watchbot-log", "watchbot/worker/abc")
    first = _texts(news)
    assert [text.rpartition("] ")[2] for text in (first + _texts(news))] == [
        'task.started {"task": "arn:task/c/abc"}',
        "by watchbot-log",
        "works",
    ]
    logs.write(4, "ends", "watchbot/worker/abc")
    logs.write(5, "[x GMT] [watcher] [m-1] job.finished {}")
    assert _texts(news) == ["ends", "[x GMT] [watcher] [m-1] job.finished {}"]
    whole = News(Log(logs, "group", Isolation.TASK), about("m-1"), 0, lambda: _NOW / 1000, "m-1")
    assert [line.at for line in whole.lines()] == [1, 2, 3, 4, 5]


def test_empty_pages_are_no_end_and_a_stream_that_is_not_there_yet_is_empty() -> None:
    client: Any = boto3.client("logs", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    event = {"eventId": "1", "timestamp": 5, "logStreamName": "s", "message": "here\n"}
    with Stubber(client) as stub:
        asked = {"logGroupName": "group", "startTime": 0}
        stub.add_response("filter_log_events", {"events": [], "nextToken": "1"}, asked)
        stub.add_response("filter_log_events", {"events": [], "nextToken": "2"}, {**asked, "nextToken": "1"})
        stub.add_response("filter_log_events", {"events": [event]}, {**asked, "nextToken": "2"})
        log = Log(client, "group", Isolation.TASK)
        assert [line.text for line in log.lines(everything(), 0)] == ["here"]
        stub.add_client_error("filter_log_events", "ResourceNotFoundException")
        assert list(log.lines(of_task("arn:task/c/abc"), 0)) == []
        stub.add_client_error("filter_log_events", "ResourceNotFoundException")
        with pytest.raises(ClientError):
            list(log.lines(everything(), 0))


def test_metrics_of_the_watcher_are_no_lines_for_people() -> None:
    logs = _Logs()
    logs.write(1, '{"_aws": {"CloudWatchMetrics": [{"Namespace": "Watchbot"}]}}')
    logs.write(2, '{"_aws": {"CloudWatchMetrics": [{"Namespace": "Mine"}]}}')
    found: list[Line] = list(_news(logs).lines())
    assert [line.at for line in found] == [2]


_CLAIMS = '[x GMT] [watcher] [m-1] task.started {"task": "arn:task/c/stolen"}'


@pytest.mark.parametrize(
    ("isolation", "foreign"),
    [
        (Isolation.TASK, "watchbot/worker/abc"),
        (Isolation.TASK, "watchbot/watcherless/abc"),
        (Isolation.PROCESS, "watchbot/sidecar/abc"),
    ],
)
def test_a_line_in_the_stream_of_another_container_is_never_a_watchers(isolation: Isolation, foreign: str) -> None:
    logs = _Logs()
    log = Log(logs, "group", isolation)
    logs.write(1, _CLAIMS, foreign)
    logs.write(2, '{"source": "watcher", "message_id": "m-1", "event": "job.finished", "outcome": "failed"}', foreign)
    logs.write(3, '{"_aws": {"CloudWatchMetrics": [{"Namespace": "Watchbot"}]}}', foreign)
    logs.write(4, "of another job", "watchbot/worker/stolen")
    news = News(log, about("m-1"), 0, lambda: _NOW / 1000, "m-1")
    first = list(news.lines())
    assert [line.entry for line in first] == [None, None]
    assert _texts(news) == []
    assert log.tasks_of("m-1", 0) == []
    assert len(list(log.lines(everything(), 0))) == 4


def test_a_workers_lines_are_under_the_message_of_its_task(capsys: pytest.CaptureFixture[str]) -> None:
    task = "watchbot/worker/abc"
    printer = Printer()
    for text, stream in (
        ("[x GMT] [worker] [claimed-id] too early to know", task),
        ('[x GMT] [watcher] [m-1] task.started {"task": "arn:task/c/abc"}', _WATCHER),
        ("[x GMT] [worker] [other-id] by watchbot-log", task),
        ('[x GMT] [watcher] [victim] task.started {"task": "arn:task/c/abc"}', task),
        ("works", task),
    ):
        event = {"eventId": text, "timestamp": 1, "logStreamName": stream, "message": text}
        printer.show(Line.of(event, "watchbot/watcher/"))
    shown = [line.split("  ")[1].strip() for line in capsys.readouterr().out.splitlines()]
    assert shown == ["claimed-", "m-1", "m-1", "m-1", "m-1"]
