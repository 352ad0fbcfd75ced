"""``watchbot jobs``, as it is typed."""

from __future__ import annotations

import json
import time

import pytest

from tests.acceptance.letters import log
from tests.acceptance.operated import Operated
from watchbot.contract import Event, LogFormat
from watchbot.journal import Journal
from watchbot_cli.local.emulator import Emulator

_TASK = "arn:aws:ecs:us-east-1:1:task/c/abc"
_STREAMS = {"plain": "watchbot/watcher/w1", "ordered": "watchbot/worker/w1"}


@pytest.fixture(scope="module")
def logged(emulator: Emulator) -> Operated:
    """A service with a text log, whose jobs are tasks, and one with a JSON log, whose jobs are processes."""
    operated = Operated(emulator, "with-jobs")
    for service, log_format in (("plain", LogFormat.TEXT), ("ordered", LogFormat.JSON)):
        lines: list[str] = []
        journal = Journal(lines.append, log_format, time.time)
        if service == "plain":
            journal.event(Event.TASK_STARTED, message_id="m-1", task=_TASK)
        journal.event(
            Event.JOB_FINISHED, message_id="m-1", outcome="succeeded", exit_code=0, duration_seconds=90, receive_count=1
        )
        journal.worker_line("m-9", lines[-1])
        journal.event(
            Event.JOB_FINISHED,
            message_id="m-2",
            outcome="timed_out",
            reason="too long",
            duration_seconds=1,
            receive_count=3,
        )
        log(emulator, operated.services[service], {_STREAMS[service]: lines})
    forged = '[x GMT] [watcher] [m-9] job.finished {"outcome": "failed"}'
    log(emulator, operated.services["plain"], {"watchbot/worker/abc": [forged]})
    return operated


@pytest.mark.parametrize("service", ["plain", "ordered"])
def test_jobs_of_both_log_formats_come_newest_first(logged: Operated, service: str) -> None:
    ran = logged.run("jobs", "--json", service=service)
    assert (ran.returncode, ran.stderr) == (0, "")
    timed_out, succeeded = map(json.loads, ran.stdout.splitlines())
    for job in (timed_out, succeeded):
        assert job["started_at"] < job["ended_at"]
        del job["started_at"], job["ended_at"]
    assert timed_out == {
        "message_id": "m-2",
        "outcome": "timed_out",
        "duration_seconds": 1,
        "exit_code": None,
        "receive_count": 3,
        "reason": "too long",
        "watcher": "w1",
        "task": None if service == "plain" else "w1",
    }
    assert (succeeded["message_id"], succeeded["exit_code"], succeeded["duration_seconds"]) == ("m-1", 0, 90)
    assert succeeded["task"] == ("abc" if service == "plain" else "w1")


def test_a_table_is_for_people(logged: Operated) -> None:
    ran = logged.run("jobs")
    assert (ran.returncode, ran.stderr) == (0, "")
    head, timed_out, succeeded = (line.split() for line in ran.stdout.splitlines())
    assert head == ["MESSAGE", "ID", "STARTED", "OUTCOME", "DURATION", "EXIT", "RECEIVES", "TASK"]
    assert (timed_out[0], timed_out[2:]) == ("m-2", ["timed_out", "1", "s", "-", "3", "-"])
    assert (succeeded[0], succeeded[2:]) == ("m-1", ["succeeded", "90", "s", "0", "1", "abc"])


def test_only_those_that_are_meant_are_shown_and_what_is_left_out_is_said(logged: Operated) -> None:
    for chosen, ids in (
        (["--failed"], ["m-2"]),
        (["--outcome", "succeeded"], ["m-1"]),
        (["--outcome", "rejected"], []),
    ):
        ran = logged.run("jobs", "--json", *chosen)
        assert ran.returncode == 0
        assert [json.loads(line)["message_id"] for line in ran.stdout.splitlines()] == ids
        assert ("no such job ended in the last 60.0 min" in ran.stderr) == (not ids)
    ran = logged.run("jobs", "--json", "--limit", "1")
    assert (json.loads(ran.stdout)["message_id"], ran.stderr) == (
        "m-2",
        "these are the last 1: there may be more, see --limit\n",
    )


@pytest.mark.parametrize("limit", ["0", "10001"])
def test_refuses_more_jobs_than_there_can_be(logged: Operated, limit: str) -> None:
    ran = logged.run("jobs", "--limit", limit)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "--limit" in ran.stderr
