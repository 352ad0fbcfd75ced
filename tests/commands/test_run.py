"""``watchbot run``, as it is typed."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.acceptance.debugged import command, run
from tests.acceptance.terminal import Terminal
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.local.emulator import Emulator

pytestmark = pytest.mark.xdist_group("run")


def test_a_worker_has_the_environment_that_its_watcher_gives_it_and_our_streams(debugged: str, tmp_path: Path) -> None:
    ran = run(command(debugged, "hello", "--receive-count", "2"), TMPDIR=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["Message"], found["ApproximateReceiveCount"], found["PATH_OF"]) == ("hello", "2", "x y")
    assert found["AWS_REGION"] == "eu-north-1"
    assert found["TABLE"].startswith("Debugged-Table")
    assert {"MessageId", "SentTimestamp", "MessageFile", "ResultFile", "WorkTopic", "LogGroup"} <= found.keys()
    assert not [name for name in found if name.startswith("WATCHBOT_")]
    talk = ran.stderr.splitlines()
    assert talk[0] == "talk"
    assert talk[1].startswith("watchbot: succeeded after ")
    assert talk[1].endswith(" s: a watcher would delete the message")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("message", "count", "says"),
    [
        ("fail", "2", "a watcher would return the message, to be received again after 4 s"),
        ("fail", "3", "a watcher would move the message to the dead-letter queue"),
        ("dead", "1", "dead lettered (exit code 5) after"),
    ],
)
def test_it_says_what_a_watcher_would_do_and_only_success_is_0(
    debugged: str, message: str, count: str, says: str
) -> None:
    ran = run(command(debugged, message, "--receive-count", count))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert says in ran.stderr


def test_no_timeout_stops_a_worker_but_it_is_told(debugged: str) -> None:
    ran = run(command(debugged, "slow"))
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.endswith("had it not stopped the worker at the job timeout of 1 s\n")


def test_a_debugger_can_be_typed_to(debugged: str) -> None:
    with Terminal(command(debugged, "debug"), dict(os.environ)) as terminal:
        terminal.answers("(Pdb) ", "p answer")
        terminal.answers("42\r\n(Pdb) ", "continue")
        exit_code, shown = terminal.ends()
        assert (exit_code, "succeeded" in shown) == (0, True)


def test_a_message_may_come_from_a_pipe_while_the_worker_has_the_terminal(debugged: str, tmp_path: Path) -> None:
    line = tmp_path / "line"
    line.write_text('{"Message": "debug", "Subject": "s"}\n')
    piped = shlex.join(command(debugged, "--file", "-"))
    with Terminal(["sh", "-c", f"{piped} < {shlex.quote(str(line))}"], dict(os.environ)) as terminal:
        terminal.answers("(Pdb) ", "p os.environ['Subject'], os.environ['Message']")
        terminal.answers("('s', 'debug')\r\n(Pdb) ", "continue")
        assert terminal.ends()[0] == 0


def test_ctrl_c_is_the_workers(debugged: str) -> None:
    with Terminal(command(debugged, "wait"), dict(os.environ)) as terminal:
        terminal.presses_ctrl_c("ready")
        exit_code, shown = terminal.ends()
        assert exit_code == 1
        assert "KeyboardInterrupt" in shown
        assert "failed (killed by SIGINT)" in shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_command_ends_the_worker(debugged: str, tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        command(debugged, "wait"), stdout=-1, stderr=-1, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        pid = int(running.stdout.readline().split()[1])
        running.send_signal(number)
        assert ("interrupted" in running.stderr.read()) is (number is signal.SIGTERM)
        assert running.wait(60) == (1 if number is signal.SIGTERM else -signal.SIGKILL)
    _expect_end(pid)


def _expect_end(pid: int) -> None:
    until = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < until
        threading.Event().wait(0.02)


def test_what_a_job_leaves_running_ends_with_it(debugged: str) -> None:
    ran = run(command(debugged, "daemon"))
    assert ran.returncode == 0, ran.stderr
    _expect_end(int(ran.stdout))


def test_a_dead_letter_runs_as_the_message_that_it_was(debugged: str) -> None:
    envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Subject": "s", "Message": "hello"}
    added = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in (("watchbot.MessageId", "the-id"), ("watchbot.Reason", "exit code 1"), ("kind", "tile"))
    }
    letter = Letter("letter-id", "", json.dumps(envelope), {"AWSTraceHeader": "Root=1"}, {})
    for one in (letter, Letter("letter-id", "", "hello", {"AWSTraceHeader": "Root=1"}, added)):
        ran = run(command(debugged, "--file", "-"), said=json.dumps(one.document_now()))
        assert ran.returncode == 0, ran.stderr
        found = json.loads(ran.stdout)
        assert (found["Message"], found["_X_AMZN_TRACE_ID"]) == ("hello", "Root=1")
    assert found["MessageId"] == "the-id"
    assert json.loads(found["MessageAttributes"]) == {"kind": {"Type": "String", "Value": "tile"}}


def test_a_payload_in_s3_is_read_from_the_aws_of_this_shell(debugged: str, emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="theirs-in-production")
    s3.put_object(Bucket="theirs-in-production", Key="a/b", Body=b"hello")
    pointer = ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "theirs-in-production"}]
    for key, exit_code in (("a/b", 0), ("gone", 1)):
        said = json.dumps([pointer[0], {"s3BucketName": "theirs-in-production", "s3Key": key}])
        ran = run(command(debugged, said), **emulator.environment())
        assert ran.returncode == exit_code, ran.stderr
        if exit_code == 0:
            assert json.loads(ran.stdout)["Message"] == "hello"
        else:
            assert "the message's payload s3://theirs-in-production/gone cannot be read" in ran.stderr
    assert s3.get_object(Bucket="theirs-in-production", Key="a/b")["Body"].read() == b"hello"


@pytest.mark.parametrize(
    ("service", "arguments", "said", "says"),
    [
        ("process", [], "", "run takes a MESSAGE, or a --file with one"),
        ("process", ["x", "--file", "-"], "", "run takes a MESSAGE, or a --file with one"),
        ("process", ["--file", "-"], "one\ntwo\n", "--file '-' holds 2 messages; run takes one, on one line"),
        ("process", ["--file", "-"], "x" * 1_048_577, "the message is longer than the 1048576 bytes that SQS takes"),
        ("process", ["--file", "/no/file"], "", "--file '/no/file' cannot be read"),
        ("task", ["x"], "", "Debugged/task cannot run on this machine: it has no command"),
        ("nobody", ["x"], "", "--service 'nobody' is not in the app"),
    ],
)
def test_refuses_what_cannot_be_run_and_says_why(
    debugged: str, service: str, arguments: list[str], said: str, says: str
) -> None:
    ran = run(command(debugged, *arguments, service=service), said=said)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr


def test_refuses_to_guess_among_several_services(debugged: str) -> None:
    ran = run(command(debugged, "x", service=None))
    assert ran.returncode == 2
    assert "the app holds several Watchbots, name one with --service: " in ran.stderr
