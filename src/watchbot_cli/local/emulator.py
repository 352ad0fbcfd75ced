"""An AWS of our own on this machine: ministack, in a process beside us."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config

from watchbot_cli.errors import CommandError

REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY_ID = f"WATCHBOT{secrets.token_hex(12).upper()}"
"""Made for each run: a request that does not name it is refused, be it from a web page or from another user."""

SECRET = secrets.token_hex(20)
SERVICES = ("cloudformation", "dynamodb", "events", "kms", "logs", "s3", "secretsmanager", "sns", "sqs", "sts")
"""What a service run on this machine is made of and talks to; none of these runs code that it is sent."""

_START_SECONDS = 60.0
_PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ"),
    *("PYTHONPATH", "PYTHONUSERBASE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
)
"""What Python takes to start and to find our packages; everything else of a shell's is none of an emulator's."""

_DOCKER = ("DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")
"""Where the engine is that its ECS runs tasks on."""


class Emulator:
    """Runs while the ``with`` block does; keeps everything in the given folder.

    It listens on the loopback address, to this machine only, or on another address of it; refuses whoever does not
    have the key of this run, and web pages in any case (:mod:`watchbot_cli.local.request_guard`); and has the given
    services only.
    """

    def __init__(self, directory: Path, address: str = "127.0.0.1", services: Sequence[str] = SERVICES) -> None:
        if importlib.util.find_spec("ministack") is None:
            raise CommandError("the embedded AWS is not installed: pip install 'watchbot-cdk[local]'")
        self.directory = directory
        self._log = directory / "emulator.log"
        self._address = address
        self._services = services
        self._port = _free_port(address)
        self.endpoint_url = f"http://{address}:{self._port}"

    def __enter__(self) -> Emulator:
        own = {
            "SERVICES": ",".join(self._services),
            "GATEWAY_PORT": str(self._port),
            "BIND_HOST": self._address,
            "MINISTACK_HOST": self._address,
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            # What it checks the signatures of URLs with.
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "PERSIST_STATE": "0",
            "STATE_DIR": str(self.directory / "state"),
            "TMPDIR": str(self.directory),
            "LOG_LEVEL": "WARNING",
            # Both listen at ports of their own, whatever the services, and the first on every address.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "watchbot_cli.local.tethered", "watchbot_cli.local.request_guard"],
                cwd=self.directory,
                env={**self._passed_on(), **own},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_healthy()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def process_id(self) -> int:
        """Id of the process that it runs in."""
        return self._process.pid

    def client(self, service: str) -> Any:
        """Make a boto3 client of this AWS."""
        session: Any = boto3.session.Session(ACCESS_KEY_ID, SECRET, region_name=REGION)
        return session.client(service, endpoint_url=self.endpoint_url, config=Config(retries={"total_max_attempts": 3}))

    def check(self) -> None:
        """Raise :class:`CommandError` when it has ended by itself."""
        if self._process.poll() is not None:
            raise self._ended("the embedded AWS has ended by itself")

    def environment(self) -> dict[str, str]:
        """Give the variables that lead an AWS client here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def _passed_on(self) -> dict[str, str]:
        names = (*_PASSED_ON, *_DOCKER) if "ecs" in self._services else _PASSED_ON
        return {name: os.environ[name] for name in names if name in os.environ}

    def _wait_until_healthy(self) -> None:
        # The guard looks for the key of a signature.
        key = {"Authorization": f"Credential={ACCESS_KEY_ID}/"}
        health = urllib.request.Request(f"{self.endpoint_url}/_ministack/health", headers=key)  # noqa: S310 - ours
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(health, timeout=5).close()  # noqa: S310 - the URL is ours
                return
            time.sleep(0.05)
        raise self._ended("the embedded AWS did not start")

    def _ended(self, what: str) -> CommandError:
        said = self._log.read_text(errors="replace").strip().splitlines()[-10:]
        return CommandError("\n".join([f"{what}:", *said]))

    def _end(self) -> None:
        """End it at once: it holds nothing that anyone will miss."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def _free_port(address: str) -> int:
    with socket.socket() as listener:
        listener.bind((address, 0))
        port: int = listener.getsockname()[1]
        return port
