"""An AWS of our own on this machine: ministack, in a process beside us."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config

from watchbot_cli.errors import CommandError

REGION = "us-east-1"
ACCOUNT = "000000000000"
SECRET = "local"  # noqa: S105 - everything in it is ours
_START_SECONDS = 60.0


class Emulator:
    """Runs while the ``with`` block does; keeps everything in the given folder.

    It listens on the loopback address, to this machine only, or on another address of it.
    """

    def __init__(self, directory: Path, address: str = "127.0.0.1") -> None:
        if importlib.util.find_spec("ministack") is None:
            raise CommandError("the embedded AWS is not installed: pip install 'watchbot-cdk[local]'")
        self.directory = directory
        self._log = directory / "emulator.log"
        self._address = address
        self._port = _free_port(address)
        self.endpoint_url = f"http://{address}:{self._port}"

    def __enter__(self) -> Emulator:
        own = {
            "GATEWAY_PORT": str(self._port),
            "BIND_HOST": self._address,
            "MINISTACK_HOST": self._address,
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            # What it checks the signatures of URLs with.
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "PERSIST_STATE": "0",
            "STATE_DIR": str(self.directory / "state"),
            "TMPDIR": str(self.directory),
            "LOG_LEVEL": "WARNING",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "watchbot_cli.local.tethered", "ministack"],
                cwd=self.directory,
                env={**os.environ, **own},
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

    def client(self, service: str) -> Any:
        """Make a boto3 client of this AWS."""
        session: Any = boto3.session.Session(ACCOUNT, SECRET, region_name=REGION)
        return session.client(service, endpoint_url=self.endpoint_url, config=Config(retries={"total_max_attempts": 3}))

    def check(self) -> None:
        """Raise :class:`CommandError` when it has ended by itself."""
        if self._process.poll() is not None:
            raise self._ended("the embedded AWS has ended by itself")

    def environment(self) -> dict[str, str]:
        """Give the variables that lead an AWS client here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def _wait_until_healthy(self) -> None:
        health = f"{self.endpoint_url}/_ministack/health"
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
