"""``watchbot local``, as it is typed."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.recorded import recorded

pytestmark = pytest.mark.xdist_group("local")

APP = """
from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from watchbot_cdk import AwsConnection, Hmac, Isolation, Scaling, Watchbot, Webhook

app = App()
image = ecs.ContainerImage.from_asset("worker")
shell = ["sh", "work.sh"]

data = Stack(app, "Data")
key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
table = dynamodb.Table(data, "Table", partition_key=key)
bucket = s3.Bucket(data, "Bucket", encryption_key=kms.Key(data, "Key"))
# These would lead the watcher itself astray.
steering = {"AWS_REGION": "eu-north-1", "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
environment = {"TABLE": table.table_name, "BUCKET": bucket.bucket_name, **steering}

stack = Stack(app, "Several")
Watchbot(stack, "task", image=image, command=shell, max_receive_count=2, environment=environment)
Watchbot(
    stack,
    "process",
    image=image,
    isolation=Isolation.PROCESS,
    command=shell,
    workers=2,
    watchers=2,
    environment=environment,
)
Watchbot(
    stack, "ordered", image=image, isolation=Isolation.PROCESS, command=shell, fifo=True, watchers=Scaling(max=9)
)
Watchbot(stack, "slow", image=image, isolation=Isolation.PROCESS, command=["sh", "-c", "echo ready; sleep 1000"])
Watchbot(stack, "murder", image=image, isolation=Isolation.PROCESS, command=["sh", "murder.sh"], watchers=2)

role = iam.Role(data, "Role", assumed_by=iam.AccountRootPrincipal())
alone = {
    "Bare": {},
    "Missing": {"command": ["no-such-program"]},
    "Broken": {"command": ["./broken"]},
    "Elsewhere": {"command": ["true"], "environment": {"X": role.role_arn}},
}
for name, arguments in alone.items():
    Watchbot(Stack(app, name), "svc", image=image, **arguments)
secret = ecs.Secret.from_secrets_manager(secretsmanager.Secret.from_secret_name_v2(stack, "Token", "token"))
Watchbot(
    Stack(app, "Secret"),
    "svc",
    image=image,
    isolation=Isolation.PROCESS,
    command=["sh", "-c", 'test "$TOKEN" = hush'],
    secrets={"TOKEN": secret},
    aws_connection=AwsConnection(
        ca_certificate=secret,
        https_proxy=secret,
        no_proxy=["internal"],
        dual_stack=True,
        endpoint_urls={"sqs": "https://elsewhere"},
    ),
)
hooked = Stack(app, "Hooked")
signing = secretsmanager.Secret(hooked, "Signing")
Watchbot(
    hooked, "hooked", image=image, command=shell, webhook=Webhook(hmac=Hmac.github(signing)), publisher_user=True
)
counting = Stack(app, "Counting")
for name, isolation in (("counts-task", Isolation.TASK), ("counts-process", Isolation.PROCESS)):
    Watchbot(counting, name, image=image, isolation=isolation, command=["sh", "count.sh"], reduce=True)
app.synth()
"""

WORKER = """
test -n "$MessageId" || exit 9
case "$Message" in
  fail) exit 1 ;;
  dead) exit 5 ;;
  retry) test "$ApproximateReceiveCount" = 2 || exit 1 ;;
esac
echo "worked on $Subject $Message"
echo "with ${TABLE:-no table} and ${BUCKET:-no bucket} in $AWS_REGION"
"""

COUNT = """
set -e
watchbot-progress set-total "$MessageId" --total 2
test "$(watchbot-progress complete-part "$MessageId" --part 1)" = false
test "$(watchbot-progress complete-part "$MessageId" --part 2)" = true
echo "counted in $ProgressTable"
"""

MURDER = """
if [ "$Message" = victim ]; then echo victim $$; touch ready; exec sleep 1001; fi
while [ ! -e ready ]; do sleep 0.05; done
kill -KILL $PPID
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An app that was synthesised for real, once: the command that gives its output again."""
    folder = tmp_path_factory.mktemp("app")
    worker = folder / "worker"
    worker.mkdir()
    (worker / "Dockerfile").write_text("FROM scratch\n")
    (worker / "work.sh").write_text(WORKER)
    (worker / "murder.sh").write_text(MURDER)
    (worker / "count.sh").write_text(COUNT)
    (worker / "broken").write_text("this is no program\n")
    (worker / "broken").chmod(0o755)
    (folder / "app.py").write_text(APP)
    return recorded(folder)


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
    # Names as CloudFormation makes them, of a table and a bucket with a key in another stack.
    assert re.search("with Data-Table[-0-9A-Z]+ and data-bucket[-0-9a-z]+ in eu-north-1", ran.stderr)


def test_a_service_with_a_webhook_runs_here_without_it(app: str) -> None:
    ran = _local("--app", app, "--service", "hooked", "--send", "-", "--until-empty", "--json", said="one\n")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["succeeded"] == 1


@pytest.mark.parametrize("service", ["counts-task", "counts-process"])
def test_parts_of_a_job_are_counted_in_a_table_that_is_made_here_too(app: str, service: str) -> None:
    ran = _local("--app", app, "--service", service, "--send", "-", "--until-empty", "--json", said="one\ntwo\n")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["succeeded"] == 2
    assert re.search("counted in arn:aws:dynamodb:.*:table/Counting-counts", ran.stderr)


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


def test_every_dead_letter_of_a_group_is_named(app: str) -> None:
    lines = "dead\n" * 12
    ran = _local("--app", app, "--service", "ordered", "--send", "-", "--until-empty", "--json", said=lines)
    assert ran.returncode == 1, ran.stderr
    summary = json.loads(ran.stdout)
    assert summary["dead_lettered"] == len({letter["message_id"] for letter in summary["dead_letters"]}) == 12


def test_secrets_come_from_the_environment(app: str) -> None:
    """Those of the worker; a way to AWS leads nowhere here, and its secrets are not asked for."""
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
        (["--service", "Elsewhere/svc"], 2, "Elsewhere/svc cannot run on this machine: X in its environment refers to"),
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


def _start(app: str, service: str, folder: Path, send: str = "-") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "watchbot_cli", "local", "--app", app, "--service", service, "--send", send]
    pipe, environment = subprocess.PIPE, {**os.environ, "TMPDIR": str(folder)}
    return subprocess.Popen(command, stdin=pipe, stderr=pipe, stdout=pipe, text=True, env=environment)


def _say(running: subprocess.Popen[str], *lines: str) -> None:
    assert running.stdin is not None
    running.stdin.write("\n".join(lines))
    running.stdin.close()


def _wait_for(running: subprocess.Popen[str], text: str) -> None:
    assert running.stderr is not None
    while text not in running.stderr.readline():
        assert running.poll() is None


def _rest(running: subprocess.Popen[str]) -> str:
    assert running.stderr is not None
    return running.stderr.read()


def test_ctrl_c_stops_everything_and_leaves_nothing_behind(app: str, tmp_path: Path) -> None:
    with _start(app, "slow", tmp_path) as running:
        _say(running, "x")
        # The first stops and waits for the running job, the second waits for nothing.
        _wait_for(running, "ready")
        watched = _watch_descendants(running.pid)
        running.send_signal(signal.SIGINT)
        _wait_for(running, "watcher.draining")
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0, _rest(running)
    _expect_end(watched)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_wait_for_lines_to_send(app: str, tmp_path: Path) -> None:
    pipe, folder = tmp_path / "pipe", tmp_path / "temporary"
    os.mkfifo(pipe)
    folder.mkdir()
    with _start(app, "slow", folder, send=str(pipe)) as running, pipe.open("w"):
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 1
        assert _rest(running) == "watchbot: interrupted before the watchers ran\n"
    assert list(folder.iterdir()) == []


def test_a_watcher_that_ends_by_itself_ends_the_run_and_the_others_workers(app: str, tmp_path: Path) -> None:
    with _start(app, "murder", tmp_path) as running:
        _say(running, "victim", "x")
        rest = _rest(running)
        assert running.wait(60) == 1
    assert "a watcher of Several/murder has ended with -9" in rest
    assert "Traceback" not in rest
    (victim,) = re.findall(r"victim (\d+)", rest)
    with pytest.raises(ProcessLookupError):
        os.kill(int(victim), 0)


def test_a_run_that_is_killed_takes_its_watchers_workers_and_aws_with_it(app: str, tmp_path: Path) -> None:
    with _start(app, "slow", tmp_path) as running:
        _say(running, "x")
        _wait_for(running, "ready")
        watched = _watch_descendants(running.pid)
        running.kill()
    _expect_end(watched)


def _watch_descendants(pid: int) -> list[int]:
    watched = [os.pidfd_open(one) for one in _descendants(pid)]
    assert len(watched) >= 3
    return watched


def _expect_end(watched: list[int]) -> None:
    for descriptor in watched:
        ready, _, _ = select.select([descriptor], [], [], 30)
        assert ready
        os.close(descriptor)


def test_an_app_cannot_swallow_what_is_to_be_sent(app: str) -> None:
    greedy = shlex.join(["sh", "-c", f"cat > /dev/null; {app}"])
    ran = _local("--app", greedy, "--service", "process", "--send", "-", "--until-empty", "--json", said="a\nb\n")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["sent"] == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk that is always there")
def test_a_summary_that_cannot_be_written_is_said_in_a_sentence(app: str) -> None:
    arguments = ["local", "--app", app, "--service", "process", "--send", "-", "--until-empty", "--json"]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "watchbot_cli", *arguments],
            input="a\n",
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=90,
        )
    assert ran.returncode == 1
    assert "standard output cannot be written to: No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr


def test_an_embedded_aws_that_ends_by_itself_ends_the_run(app: str) -> None:
    command = [sys.executable, "-m", "watchbot_cli", "local", "--app", app, "--service", "slow", "--send", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        running.stdin.write("x\n")
        running.stdin.close()
        while "ready" not in running.stderr.readline():
            assert running.poll() is None
        commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in _descendants(running.pid)}
        (emulator,) = [pid for pid, command_line in commands.items() if b"request_guard" in command_line]
        os.kill(emulator, signal.SIGKILL)
        assert "the embedded AWS has ended by itself" in running.stderr.read()
        assert running.wait(60) == 1


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for child in map(int, children) for one in (child, *_descendants(child))]
