"""``watchbot run``, as it is typed."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.acceptance.terminal import Terminal
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.local.emulator import Emulator

pytestmark = pytest.mark.xdist_group("run")

APP = """
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from watchbot_cdk import Isolation, Watchbot

app = App()
stack = Stack(app, "Debugged")
table = dynamodb.Table(stack, "Table", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING))
image = ecs.ContainerImage.from_asset("worker", build_args={"VERSION": "1"}, target="last")
process = {"image": image, "isolation": Isolation.PROCESS, "command": ["python3", "work.py"]}
Watchbot(
    stack,
    "process",
    **process,
    environment={"TABLE": table.table_name, "AWS_REGION": "eu-north-1", "PATH_OF": "x y"},
    job_timeout=Duration.seconds(1),
    max_receive_count=3,
    payload_bucket=s3.Bucket(stack, "Payloads"),
)
Watchbot(
    stack,
    "task",
    image=image,
    environment={"TABLE": table.table_name, "DOCKER_HOST": "theirs"},
    secrets={"TOKEN": ecs.Secret.from_secrets_manager(secretsmanager.Secret(stack, "Token"))},
)
Watchbot(Stack(app, "Registry"), "ordered", image=ecs.ContainerImage.from_registry("theirs:1"), fifo=True)
app.synth()
"""

WORKER = """
import json, os, subprocess, sys, time

message = os.environ.get("Message", "")
match message:
    case "debug":
        answer = 6 * 7
        breakpoint()
    case "wait":
        print("ready", os.getpid(), flush=True)
        time.sleep(1000)
    case "slow":
        time.sleep(1.1)
    case "daemon":
        print(subprocess.Popen(["sleep", "1003"], start_new_session=True).pid)
        sys.exit()
    case "dead":
        sys.exit(5)
    case "fail":
        sys.exit(1)
print(json.dumps(dict(os.environ)))
print("talk", file=sys.stderr)
"""

DOCKER = """#!/bin/sh
printf '%s\\n' "$*" >> "$LOG"
env | sort > "$LOG.$1"
case $1 in
  build) printf image-id > "$3" ;;
  run) exit "${EXIT:-0}" ;;
esac
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An app that was synthesised for real, once: the command that gives its output again."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "worker").mkdir()
    (folder / "worker" / "Dockerfile").write_text("FROM scratch AS last\n")
    (folder / "worker" / "work.py").write_text(WORKER)
    (folder / "app.py").write_text(APP)
    environment = {**os.environ, "CDK_OUTDIR": str(folder / "cdk.out")}
    subprocess.run([sys.executable, "app.py"], cwd=folder, env=environment, check=True)
    copy = f'cp -r {shlex.quote(str(folder / "cdk.out"))}/. "$CDK_OUTDIR"'
    return shlex.join(["sh", "-c", copy])


def _command(app: str, *arguments: str, service: str = "process") -> list[str]:
    return [sys.executable, "-m", "watchbot_cli", "run", "--app", app, "--service", service, *arguments]


def _run(command: list[str], said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        command,
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
        env={**os.environ, **environment},
    )
    assert "Traceback" not in ran.stderr
    return ran


def test_a_worker_has_the_environment_that_its_watcher_gives_it_and_our_streams(app: str, tmp_path: Path) -> None:
    ran = _run(_command(app, "hello", "--receive-count", "2"), TMPDIR=str(tmp_path))
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
def test_it_says_what_a_watcher_would_do_and_only_success_is_0(app: str, message: str, count: str, says: str) -> None:
    ran = _run(_command(app, message, "--receive-count", count))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert says in ran.stderr


def test_no_timeout_stops_a_worker_but_it_is_told(app: str) -> None:
    ran = _run(_command(app, "slow"))
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.endswith("had it not stopped the worker at the job timeout of 1 s\n")


def test_a_debugger_can_be_typed_to(app: str) -> None:
    with Terminal(_command(app, "debug"), dict(os.environ)) as terminal:
        terminal.answers("(Pdb) ", "p answer")
        terminal.answers("42\r\n(Pdb) ", "continue")
        exit_code, shown = terminal.ends()
        assert (exit_code, "succeeded" in shown) == (0, True)


def test_a_message_may_come_from_a_pipe_while_the_worker_has_the_terminal(app: str, tmp_path: Path) -> None:
    line = tmp_path / "line"
    line.write_text('{"Message": "debug", "Subject": "s"}\n')
    piped = shlex.join(_command(app, "--file", "-"))
    with Terminal(["sh", "-c", f"{piped} < {shlex.quote(str(line))}"], dict(os.environ)) as terminal:
        terminal.answers("(Pdb) ", "p os.environ['Subject'], os.environ['Message']")
        terminal.answers("('s', 'debug')\r\n(Pdb) ", "continue")
        assert terminal.ends()[0] == 0


def test_ctrl_c_is_the_workers(app: str) -> None:
    with Terminal(_command(app, "wait"), dict(os.environ)) as terminal:
        terminal.presses_ctrl_c("ready")
        exit_code, shown = terminal.ends()
        assert exit_code == 1
        assert "KeyboardInterrupt" in shown
        assert "failed (killed by SIGINT)" in shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_command_ends_the_worker(app: str, tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        _command(app, "wait"), stdout=-1, stderr=-1, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
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


def test_what_a_job_leaves_running_ends_with_it(app: str) -> None:
    ran = _run(_command(app, "daemon"))
    assert ran.returncode == 0, ran.stderr
    _expect_end(int(ran.stdout))


def test_a_dead_letter_runs_as_the_message_that_it_was(app: str) -> None:
    envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Subject": "s", "Message": "hello"}
    added = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in (("watchbot.MessageId", "the-id"), ("watchbot.Reason", "exit code 1"), ("kind", "tile"))
    }
    letter = Letter("letter-id", "", json.dumps(envelope), {"AWSTraceHeader": "Root=1"}, {})
    for one in (letter, Letter("letter-id", "", "hello", {"AWSTraceHeader": "Root=1"}, added)):
        ran = _run(_command(app, "--file", "-"), said=json.dumps(one.document_now()))
        assert ran.returncode == 0, ran.stderr
        found = json.loads(ran.stdout)
        assert (found["Message"], found["_X_AMZN_TRACE_ID"]) == ("hello", "Root=1")
    assert found["MessageId"] == "the-id"
    assert json.loads(found["MessageAttributes"]) == {"kind": {"Type": "String", "Value": "tile"}}


def test_a_payload_in_s3_is_read_from_the_aws_of_this_shell(app: str, emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="theirs-in-production")
    s3.put_object(Bucket="theirs-in-production", Key="a/b", Body=b"hello")
    pointer = ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "theirs-in-production"}]
    for key, exit_code in (("a/b", 0), ("gone", 1)):
        said = json.dumps([pointer[0], {"s3BucketName": "theirs-in-production", "s3Key": key}])
        ran = _run(_command(app, said), **emulator.environment())
        assert ran.returncode == exit_code, ran.stderr
        if exit_code == 0:
            assert json.loads(ran.stdout)["Message"] == "hello"
        else:
            assert "the message's payload s3://theirs-in-production/gone cannot be read" in ran.stderr
    assert s3.get_object(Bucket="theirs-in-production", Key="a/b")["Body"].read() == b"hello"


@pytest.fixture
def docker(tmp_path: Path) -> dict[str, str]:
    """An environment with a docker that only says how it was called."""
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    return {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "LOG": str(tmp_path / "log")}


def test_docker_runs_the_image_with_its_own_entry_point_and_the_services_environment(
    app: str, docker: dict[str, str]
) -> None:
    ran = _run(_command(app, "hello", "--docker", service="task"), TOKEN="hush", **docker)
    assert ran.returncode == 0, ran.stderr
    built, started, removed = Path(docker["LOG"]).read_text().splitlines()
    assert built.startswith("build --iidfile ")
    assert "--build-arg=VERSION=1 --target last" in built
    assert started.startswith("run --rm --init --interactive --name watchbot-run-")
    assert started.endswith(" image-id")
    assert "--entrypoint" not in started
    names = [one.split()[0] for one in started.split("--env ")[1:]]
    assert {"Message", "MessageFile", "TABLE", "TOKEN", "AWS_ENDPOINT_URL", "DOCKER_HOST=theirs"} <= {*names}
    assert "hush" not in started
    assert "ResultFile" not in names
    given = dict(one.split("=", 1) for one in Path(docker["LOG"] + ".run").read_text().splitlines() if "=" in one)
    assert removed.startswith("rm --force watchbot-run-")
    assert "DOCKER_HOST" not in given


def test_docker_gives_a_process_its_whole_argv(app: str, docker: dict[str, str]) -> None:
    ran = _run(_command(app, "hello", "--docker"), EXIT="125", **docker)
    assert ran.returncode == 1
    assert "Docker could not start the container" in ran.stderr
    started = Path(docker["LOG"]).read_text().splitlines()[1]
    assert started.endswith(" --entrypoint python3 image-id work.py")
    assert "--env ResultFile" in started


def test_docker_pulls_an_image_of_a_registry_and_a_fifo_message_has_a_group(app: str, docker: dict[str, str]) -> None:
    ran = _run(_command(app, "hello", "--docker", service="ordered"), **docker)
    assert ran.returncode == 0, ran.stderr
    started, _ = Path(docker["LOG"]).read_text().splitlines()
    assert started.endswith(" theirs:1")
    assert "MessageGroupId=run\n" in Path(docker["LOG"] + ".run").read_text()


def test_refuses_docker_where_there_is_none(app: str) -> None:
    ran = _run(_command(app, "x", "--docker"), PATH="/nowhere")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "watchbot: --docker needs Docker, and there is no docker in PATH\n"


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
    app: str, service: str, arguments: list[str], said: str, says: str
) -> None:
    ran = _run(_command(app, *arguments, service=service), said=said)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr


def test_refuses_to_guess_among_several_services(app: str) -> None:
    ran = _run([sys.executable, "-m", "watchbot_cli", "run", "--app", app, "x"])
    assert ran.returncode == 2
    assert "the app holds several Watchbots, name one with --service: " in ran.stderr
