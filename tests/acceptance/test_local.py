"""``watchbot local``, as it is typed."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("local")

APP = """
from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_secretsmanager as secretsmanager
from watchbot_cdk import Isolation, Watchbot

app = App()
image = ecs.ContainerImage.from_asset("worker")
shell = ["sh", "work.sh"]

stack = Stack(app, "Several")
key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
table = dynamodb.Table(stack, "Table", partition_key=key)
Watchbot(stack, "task", image=image, command=shell, max_receive_count=2, environment={"TABLE": table.table_name})
Watchbot(stack, "process", image=image, isolation=Isolation.PROCESS, command=shell, workers=2, watchers=2)
Watchbot(stack, "ordered", image=image, isolation=Isolation.PROCESS, command=shell, fifo=True)
Watchbot(stack, "slow", image=image, isolation=Isolation.PROCESS, command=["sh", "-c", "echo ready; sleep 1000"])

alone = {
    "Bare": {},
    "Missing": {"command": ["no-such-program"]},
    "Broken": {"command": ["./broken"]},
    "Elsewhere": {"command": ["true"], "environment": {"X": stack.format_arn(service="x", resource="y")}},
}
for name, arguments in alone.items():
    Watchbot(Stack(app, name), "svc", image=image, **arguments)
secret = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "token")
Watchbot(
    Stack(app, "Secret"),
    "svc",
    image=image,
    command=["sh", "-c", 'test "$TOKEN" = hush'],
    secrets={"TOKEN": ecs.Secret.from_secrets_manager(secret)},
)
app.synth()
"""

WORKER = """
test -n "$MessageId" || exit 9
case "$Message" in
  fail) exit 1 ;;
  dead) exit 5 ;;
  retry) test "$ApproximateReceiveCount" = 2 || exit 1 ;;
esac
echo "worked on $Subject $Message ${TABLE:+with a table}"
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An app that was synthesised for real, once: the command that gives its output again."""
    folder = tmp_path_factory.mktemp("app")
    worker = folder / "worker"
    worker.mkdir()
    (worker / "Dockerfile").write_text("FROM scratch\n")
    (worker / "work.sh").write_text(WORKER)
    (worker / "broken").write_text("this is no program\n")
    (worker / "broken").chmod(0o755)
    (folder / "app.py").write_text(APP)
    environment = {**os.environ, "CDK_OUTDIR": str(folder / "cdk.out")}
    subprocess.run([sys.executable, "app.py"], cwd=folder, env=environment, check=True)
    copy = f'cp -r {shlex.quote(str(folder / "cdk.out"))}/. "$CDK_OUTDIR"'
    return shlex.join(["sh", "-c", copy])


def _local(*arguments: str, said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "watchbot_cli", "local", *arguments]
    return subprocess.run(
        command,
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("service", ["task", "Several/process"])
def test_either_isolation_runs_its_command_as_local_processes(app: str, service: str) -> None:
    lines = ["one", '{"Subject": "s", "Message": "two"}', "", "retry", '{"Message": {"three": 3}}']
    ran = _local("--app", app, "--service", service, "--send", "-", "--until-empty", "--json", said="\n".join(lines))
    assert ran.returncode == 0, ran.stderr
    summary = json.loads(ran.stdout)
    assert (summary["sent"], summary["succeeded"], summary["retried"], summary["failed"]) == (4, 4, 1, 1)
    assert (summary["dead_lettered"], summary["dead_letters"]) == (0, [])
    assert "worked on s two" in ran.stderr
    assert 'worked on  {"three": 3}' in ran.stderr
    assert ("with a table" in ran.stderr) is (service == "task")


def test_dead_letters_are_named_and_make_the_exit_code_1(app: str) -> None:
    ran = _local("--app", app, "--service", "task", "--send", "-", "--until-empty", "--json", said="ok\nfail\ndead\n")
    assert ran.returncode == 1, ran.stderr
    summary = json.loads(ran.stdout)
    assert (summary["sent"], summary["succeeded"], summary["dead_lettered"]) == (3, 1, 2)
    reasons = {letter["message"]: letter["reason"] for letter in summary["dead_letters"]}
    assert reasons == {"dead": "exit code 5", "fail": "exit code 1 on receive 2 of 2"}


def test_a_fifo_service_works_in_order(app: str) -> None:
    lines = "\n".join(["same", "same", *map(str, range(8))])
    ran = _local("--app", app, "--service", "ordered", "--send", "-", "--until-empty", said=lines)
    assert ran.returncode == 0, ran.stderr
    worked = [line.split()[-1] for line in ran.stderr.splitlines() if "worked on" in line]
    assert worked == ["same", "same", *map(str, range(8))]
    assert "succeeded      10" in ran.stdout


def test_secrets_come_from_the_environment(app: str) -> None:
    arguments = ("--app", app, "--service", "Secret/svc", "--send", "-", "--until-empty")
    assert _local(*arguments, said="x", TOKEN="hush").returncode == 0
    refused = _local(*arguments, said="x")
    assert refused.returncode == 2
    assert "set TOKEN in the environment" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (["--service", "nobody"], 2, "--service 'nobody' is not in the app, which holds Several/task, Several/process"),
        (["--service", "svc"], 2, "--service 'svc' is the id of several Watchbots"),
        (["--service", "Bare/svc"], 2, "Bare/svc cannot run on this machine: it has no command"),
        (["--service", "Missing/svc"], 2, "the command of Missing/svc is not on this machine: no-such-program in PATH"),
        (["--service", "task", "--send", "no-such-file"], 2, "--send 'no-such-file' cannot be read"),
        (["--service", "task", "--sent", "x"], 2, "No such option"),
    ],
)
def test_refuses_what_cannot_be_and_says_why(app: str, arguments: list[str], exit_code: int, says: str) -> None:
    ran = _local("--app", app, *arguments)
    assert ran.returncode == exit_code
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def test_refuses_a_file_with_bad_lines_before_anything_is_sent(app: str, tmp_path: Path) -> None:
    file = tmp_path / "jobs.jsonl"
    file.write_bytes(b'good\n\xff\xfe\n{"Message": "x", "Subjekt": "y"}\n{"Message": "x", "Subject": ""}\n')
    ran = _local("--app", app, "--service", "task", "--send", str(file), "--until-empty")
    assert ran.returncode == 2
    for part in (
        "nothing was",
        "line 2: is not UTF-8",
        "line 3: has Subjekt; allowed are",
        "line 4: has the Subject ''",
    ):
        assert part in ran.stderr


def test_a_worker_that_cannot_be_started_ends_the_run_with_the_reason(app: str) -> None:
    ran = _local("--app", app, "--service", "Broken/svc", "--send", "-", "--until-empty", said="x")
    assert ran.returncode == 1
    assert "workers cannot be started" in ran.stderr
    assert "Exec format error" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("app_command", "exit_code", "says"),
    [
        ("sh -c 'echo it broke >&2; exit 3'", 1, "has failed with exit code 3:\nit broke"),
        ("true", 1, "has synthesised nothing"),
        ("no-such-program", 2, "cannot be started: No such file"),
        ("'", 2, "is no command"),
        ("", 2, "--app is empty"),
    ],
)
def test_an_app_that_fails_to_synthesise_is_quoted(app_command: str, exit_code: int, says: str) -> None:
    ran = _local("--app", app_command)
    assert ran.returncode == exit_code
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def test_ctrl_c_stops_everything_and_leaves_nothing_behind(app: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "watchbot_cli", "local", "--app", app, "--service", "slow", "--send", "-"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        running.stdin.write("x\n")
        running.stdin.close()
        for line in ("ready", "watcher.draining"):
            # The first stops and waits for the running job, the second waits for nothing.
            while line not in running.stderr.readline():
                assert running.poll() is None
            running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
        assert running.wait(60) == 0, rest
    assert list(tmp_path.iterdir()) == []
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert left.stdout == ""


def test_a_run_that_is_killed_takes_its_watchers_workers_and_aws_with_it(app: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "watchbot_cli", "local", "--app", app, "--service", "slow", "--send", "-"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        running.stdin.write("x\n")
        running.stdin.close()
        while "ready" not in running.stderr.readline():
            assert running.poll() is None
        watching = [os.pidfd_open(pid) for pid in _descendants(running.pid)]
        assert len(watching) >= 3
        running.kill()
    for descriptor in watching:
        ready, _, _ = select.select([descriptor], [], [], 30)
        assert ready
        os.close(descriptor)


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for child in map(int, children) for one in (child, *_descendants(child))]
