"""``watchbot logs``, as it is typed."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.acceptance.letters import log
from tests.acceptance.operated import Operated
from tests.acceptance.terminal import Terminal
from tests.fault.proxy import FaultyProxy
from watchbot.contract import Event, LogFormat
from watchbot.journal import Journal
from watchbot_cli.local.emulator import Emulator

_TASK = "arn:aws:ecs:us-east-1:1:task/c/abcdef0123"
_FAILED = "f-0-failed-message"
_WATCHER = {"plain": "watchbot/watcher/1", "ordered": "watchbot/worker/1"}


def _journal(log_format: LogFormat) -> list[str]:
    lines: list[str] = []
    journal = Journal(lines.append, log_format, time.time)
    journal.event(Event.WATCHER_STARTED, service="s")
    journal.event(Event.JOB_STARTED, message_id=_FAILED, message="a tile", receive_count=1)
    journal.event(Event.TASK_STARTED, message_id=_FAILED, task=_TASK)
    journal.event(Event.JOB_FINISHED, message_id="s-1", outcome="succeeded", exit_code=0, duration_seconds=1.5)
    journal.event(
        Event.JOB_FINISHED, message_id=_FAILED, level="warning", outcome="failed", exit_code=1, reason="exit code 1"
    )
    lines.append('{"_aws": {"CloudWatchMetrics": [{"Namespace": "Watchbot"}]}}')
    return lines


@pytest.fixture(scope="module")
def logged(emulator: Emulator) -> Operated:
    """A service with a text log, whose jobs are tasks, and one with a JSON log, whose jobs are processes."""
    operated = Operated(emulator, "logged")
    for service, log_format in (("plain", LogFormat.TEXT), ("ordered", LogFormat.JSON)):
        log(emulator, operated.services[service], {_WATCHER[service]: _journal(log_format)})
    forged = '[x GMT] [watcher] [m] job.finished {"outcome": "failed"}'
    log(emulator, operated.services["plain"], {"watchbot/worker/abcdef0123": ["no such tile", forged]})
    return operated


@pytest.mark.parametrize("service", ["plain", "ordered"])
def test_both_log_formats_read_alike(logged: Operated, service: str) -> None:
    ran = logged.run("logs", service=service)
    assert (ran.returncode, ran.stderr) == (0, "")
    shown = [line.split(maxsplit=2)[1:] for line in ran.stdout.splitlines()]
    expected = [
        ["-", "watcher.started service=s"],
        ["f-0-fail", 'job.started message="a tile" receive_count=1'],
        ["s-1", "job.finished outcome=succeeded exit_code=0 duration_seconds=1.5"],
        ["f-0-fail", 'job.finished outcome=failed exit_code=1 reason="exit code 1"'],
    ]
    assert [line for line in shown if line in expected] == expected
    assert "_aws" not in ran.stdout


@pytest.mark.parametrize("service", ["plain", "ordered"])
def test_failed_jobs_are_found_by_what_the_watcher_says_of_them(logged: Operated, service: str) -> None:
    for chosen, ids in (
        (["--failed"], [_FAILED]),
        (["--outcome", "succeeded"], ["s-1"]),
        (["--outcome", "succeeded", "--failed"], ["s-1", _FAILED]),
        (["--outcome", "timed_out"], []),
    ):
        ran = logged.run("logs", *chosen, "--since", "1h", "--json", service=service)
        assert ran.returncode == 0
        assert [json.loads(line)["message_id"] for line in ran.stdout.splitlines()] == ids
        assert ("has no such line of the last 60.0 min" in ran.stderr) == (not ids)


def test_a_line_as_json_has_everything(logged: Operated) -> None:
    line = json.loads(logged.run("logs", "--failed", "--json").stdout)
    assert line.pop("time").endswith("Z")
    assert line.pop("message").endswith('"reason": "exit code 1"}')
    assert line == {
        "stream": "watchbot/watcher/1",
        "message_id": _FAILED,
        "source": "watcher",
        "level": "warning",
        "event": "job.finished",
        "fields": {"outcome": "failed", "exit_code": 1, "reason": "exit code 1"},
    }


def test_a_message_brings_what_its_tasks_wrote(logged: Operated) -> None:
    ran = logged.run("logs", "--message-id", _FAILED)
    assert ran.returncode == 0
    assert [line.split("  ", 2)[2].split()[0] for line in ran.stdout.splitlines()].count("no") == 1
    assert "succeeded" not in ran.stdout
    assert all(line.split("  ")[1] == "f-0-fail" for line in ran.stdout.splitlines() if "no such tile" in line)
    json_lines = logged.run("logs", "--message-id", _FAILED, "--json").stdout.splitlines()
    assert [json.loads(line)["time"] for line in json_lines] == sorted(json.loads(line)["time"] for line in json_lines)


def test_nothing_found_says_where_it_looked(logged: Operated) -> None:
    ran = logged.run("logs", "--message-id", "nobody")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "has no such line of the last 24.0 h" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--message-id", 'a "b'], "--message-id must be an id as SQS gives it"),
        (["--message-id", ""], "--message-id must be an id as SQS gives it"),
        (["--message-id", "a", "--failed"], "leave out --outcome and --failed"),
        (["--outcome", "lost"], "'lost' is not one of"),
        (["--since", "soon"], "--since must be a time such as 90, 60s, 5min or 3h, got 'soon'"),
    ],
)
def test_refuses_what_cannot_be_looked_for(logged: Operated, arguments: list[str], says: str) -> None:
    ran = logged.run("logs", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr


def test_a_reader_that_goes_away_ends_it_with_a_sentence(logged: Operated) -> None:
    for arguments in (["logs"], ["logs", "--follow"], ["logs", "--json"]):
        with subprocess.Popen(logged.command(*arguments), env=logged.environment(), stdout=-1, stderr=-1) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            running.stdout.close()
            assert running.stderr.read() == b"watchbot: standard output cannot be written to: Broken pipe\n"
        assert running.returncode == 1


@pytest.fixture
def following(operated: Operated) -> Iterator[FaultyProxy]:
    with FaultyProxy(operated.emulator.endpoint_url) as proxy:
        yield proxy


def test_follow_shows_each_line_once_through_throttling_and_a_lost_network(
    operated: Operated, following: FaultyProxy
) -> None:
    plain = operated.services["plain"]
    log(operated.emulator, plain, {"watchbot/watcher/1": ["first"]})
    environment = operated.environment(AWS_ENDPOINT_URL=following.url, AWS_MAX_ATTEMPTS="1")
    with subprocess.Popen(
        operated.command("logs", "--follow"), env=environment, stdout=-1, stderr=-1, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().endswith("first\n")
        for number, fault in enumerate(("throttled", "reset")):
            following.breaks_every("FilterLogEvents", fault)
            log(operated.emulator, plain, {f"watchbot/watcher/late-{number}": [f"during {fault}"]})
            said = running.stderr.readline()
            assert said.endswith("; trying again\n"), said
            following.heals("FilterLogEvents")
            assert running.stdout.readline().endswith(f"during {fault}\n")
        seen = len(following.made["FilterLogEvents"])
        following.sees("FilterLogEvents", seen + 2)
        running.send_signal(signal.SIGINT)
        assert running.communicate() == ("", "")
    assert running.returncode == 0


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_alone_and_ctrl_c_is_how_following_ends(
    logged: Operated, variables: dict[str, str], coloured: bool
) -> None:
    with Terminal(logged.command("logs", "--failed", "--follow"), logged.environment(**variables)) as terminal:
        shown = terminal.shows("reason=")
        terminal.presses_ctrl_c('"exit code 1"')
        exit_code, rest = terminal.ends()
    assert (exit_code, "Traceback" in rest, "interrupted" in rest) == (0, False, False)
    assert ("\x1b[31mjob.finished" in shown) == coloured
    assert "\x1b[" not in logged.run("logs", "--failed").stdout
