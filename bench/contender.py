"""Who races: this watcher, the bare spawn loop below it, and its peers."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

WATCHBOT = "watchbot"
ONE_SLOT = "watchbot, 1 slot"
SPAWN_LOOP = "bare spawn loop"
MAPBOX = "@mapbox/watchbot"
MAPBOX_KEPT = "@mapbox/watchbot, keep-alive"
SQS_CONSUMER = "sqs-consumer"

SLOTS = 32
_PEERS = Path(__file__).parent / "peers"
_MODULES = _PEERS / "node_modules"
_ROOT = Path(__file__).parents[1]


@dataclasses.dataclass(frozen=True, slots=True)
class Contender:
    """A program that takes messages from a queue and runs a command for each, up to ``slots`` at once."""

    name: str
    slots: int
    arguments: Sequence[str]
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    host: str = "127.0.0.1"
    joins_command: bool = False

    def argv(self, queue_url: str, command: Sequence[str]) -> list[str]:
        """Give the command line that works on this queue with this command for each message."""
        tail = [" ".join(command)] if self.joins_command else list(command)
        return [queue_url if one == "QUEUE" else one for one in self.arguments] + tail

    def environment(self, queue_url: str, scratch: Path) -> dict[str, str]:
        """Give the variables of its own."""
        values = {"QUEUE": queue_url, "SCRATCH": str(scratch)}
        return {name: values.get(value, value) for name, value in self.variables.items()}


def watchbot(slots: int = SLOTS, name: str = WATCHBOT) -> Contender:
    """Give this watcher with so many slots."""
    return Contender(
        name,
        slots,
        [sys.executable, "-P", "-m", "watchbot", "listen", "--"],
        {"WATCHBOT_QUEUE_URL": "QUEUE", "WATCHBOT_WORKERS": str(slots)},
    )


def spawn_loop() -> Contender:
    """Give the bare spawn loop, which runs one command after the other."""
    program = Path(__file__).with_name("spawn_loop.py")
    return Contender(SPAWN_LOOP, 1, [sys.executable, str(program), "QUEUE"])


def peers(node: str) -> list[Contender]:
    """Give what is installed from npm.

    A process of @mapbox/watchbot takes one message at a time and has no setting for it. As it is shipped it opens a
    connection for every request; it also runs with a variable of its SDK that keeps them open. A process of
    sqs-consumer takes ten, its most.
    """
    mapbox = Contender(
        MAPBOX,
        1,
        [
            node,
            "--require",
            str(_PEERS / "loopback.cjs"),
            str(_MODULES / "@mapbox" / "watchbot" / "bin" / "watchbot.js"),
            "listen",
        ],
        {
            "QueueUrl": "QUEUE",
            "Volumes": "SCRATCH",
            "maxJobDuration": "0",
            "writableFilesystem": "false",
            "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1",
        },
        host="sqs.us-east-1.localhost",
        joins_command=True,
    )
    kept = dataclasses.replace(
        mapbox, name=MAPBOX_KEPT, variables={**mapbox.variables, "AWS_NODEJS_CONNECTION_REUSE_ENABLED": "1"}
    )
    return [mapbox, kept, Contender(SQS_CONSUMER, 10, [node, str(_PEERS / "consumer.js"), "QUEUE"])]


def install_peers() -> str | None:
    """Have npm install the peers once; None when they are there, else why they are not, in one line."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "npm is not installed"
    if all((_MODULES / name / "package.json").is_file() for name in (MAPBOX, SQS_CONSUMER)):
        return None
    options = ["--no-package-lock", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        ran = subprocess.run(
            [npm, "install", "--prefix", str(_PEERS), *options],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "npm install has not ended in 180 seconds"
    if ran.returncode != 0:
        said = ran.stderr.strip().splitlines()
        return f"npm install has failed: {said[0] if said else f'exit code {ran.returncode}'}"
    return None


def version_files() -> dict[str, Path]:
    """Give where the peers say which version they are."""
    return {name: _MODULES / name / "package.json" for name in (MAPBOX, SQS_CONSUMER)}
