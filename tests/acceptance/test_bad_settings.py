"""The program with settings that cannot be, and queues that are not there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues


def _listen(*arguments: str, aws_endpoint: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **{f"WATCHBOT_{name}": value for name, value in settings.items()}}
    if aws_endpoint:
        environment["AWS_ENDPOINT_URL"] = aws_endpoint
    command = [sys.executable, "-P", "-m", "watchbot", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_refuses_everything_that_is_wrong_at_once_by_name_and_exits_with_2() -> None:
    ran = _listen("listen", "--", "no-such-program", WORKERS="none", LOG_FORMAT="xml", QUEUE="x")
    assert ran.returncode == 2
    for part in (
        "WATCHBOT_QUEUE_URL is missing",
        "WATCHBOT_WORKERS must be a whole number from 1 to 1000, got 'none'",
        "WATCHBOT_LOG_FORMAT must be one of text, json, got 'xml'",
        "WATCHBOT_QUEUE is not a setting of this watcher; did you mean WATCHBOT_QUEUE_URL?",
        "command not found: no-such-program",
    ):
        assert part in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("arguments", [[], ["lisen"], ["listen", "true"], ["listen", "--"]])
def test_refuses_a_command_line_that_makes_no_sense(arguments: list[str]) -> None:
    ran = _listen(*arguments, QUEUE_URL="https://sqs.eu-west-1.amazonaws.com/1/q")
    assert ran.returncode == 2
    assert ran.stderr.startswith("watchbot: ")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(("endpoint", "says"), [("", "specify a region"), ("foo", "Invalid endpoint: foo")])
def test_refuses_an_environment_that_allows_no_client(endpoint: str, says: str) -> None:
    ran = _listen("listen", "--", "true", aws_endpoint=endpoint, QUEUE_URL="http://127.0.0.1:4566/000000000000/q")
    assert ran.returncode == 2
    assert "watchbot: no client of AWS sqs can be made of this environment" in ran.stderr
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def test_help_says_what_it_does() -> None:
    ran = _listen("--help")
    assert ran.returncode == 0
    assert "WATCHBOT_QUEUE_URL=" in ran.stdout


def test_an_unreachable_endpoint_is_said_and_tried_again(queues: Queues) -> None:
    program = Program(queues, "exit 0")
    program.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    with program:
        error = program.hears("queue.error")
        assert "cannot be reached" in error.fields["reason"]


def test_a_queue_that_is_not_there_is_named(queues: Queues) -> None:
    program = Program(queues, "exit 0")
    program.environment["WATCHBOT_QUEUE_URL"] = queues.url + "-gone"
    with program:
        error = program.hears("queue.error")
        assert error.fields["reason"] == f"there is no queue {queues.url}-gone"


def test_the_endpoint_is_honoured_whatever_the_host_of_the_queue(queues: Queues) -> None:
    queues.send("x")
    program = Program(queues, "exit 0")
    name = queues.url.rpartition("/")[2]
    program.environment["WATCHBOT_QUEUE_URL"] = f"https://sqs.us-east-1.amazonaws.com/000000000000/{name}"
    with program:
        assert program.hears("job.finished").fields["outcome"] == "succeeded"
