"""An app whose services are debugged with ``watchbot run``, and that command as it is typed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.acceptance.recorded import recorded

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


def synthesised(folder: Path) -> str:
    """Synthesise the app for real; gives the command that gives its output again."""
    (folder / "worker").mkdir()
    (folder / "worker" / "Dockerfile").write_text("FROM scratch AS last\n")
    (folder / "worker" / "work.py").write_text(WORKER)
    (folder / "app.py").write_text(APP)
    return recorded(folder)


def command(app: str, *arguments: str, service: str | None = "process") -> list[str]:
    """Give the command as it is typed."""
    chosen = [] if service is None else ["--service", service]
    return [sys.executable, "-m", "watchbot_cli", "run", "--app", app, *chosen, *arguments]


def run(command: list[str], said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end; no traceback may come of it."""
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
