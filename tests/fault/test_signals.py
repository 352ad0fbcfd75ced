"""A signal to stop is never lost and ends no watcher early or late: as PID 1, at any moment, once or in a storm."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUNTIME = Path(__file__).parents[2] / "watcher" / "runtime"
sys.path.insert(0, str(RUNTIME))
import hold_signals  # noqa: E402 - a script's neighbour, in no package

sys.path.remove(str(RUNTIME))

# What the image has in these places needs an image: these pass everything on to what this machine has.
BUSYBOX = '#!/bin/sh\napplet=$1; shift; exec "$applet" "$@"\n'
LOADER = '#!/bin/sh\nwhile [ "$1" != -m ]; do shift; done; exec {python} -P "$@"\n'
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "WATCHBOT_QUEUE_URL": "http://127.0.0.1:9/1/q",
    "WATCHBOT_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-west-1",
}


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    for directory in ("bin", "lib"):
        (tmp_path / directory).mkdir()
    hold_signals.write(tmp_path / "bin" / "hold-signals")
    shutil.copy(RUNTIME / "start", tmp_path / "start")
    for file, text in (("bin/busybox", BUSYBOX), ("lib/ld.so", LOADER.format(python=sys.executable))):
        (tmp_path / file).write_text(text)
        (tmp_path / file).chmod(0o755)
    return tmp_path


def _start(runtime: Path, *arguments: str) -> tuple[subprocess.Popen[str], int]:
    """Start the launcher as PID 1, as ECS does; gives the process to wait for, and the number of PID 1 out here."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("only root can make a PID namespace")
    process = subprocess.Popen(
        [
            *("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"),
            *map(str, (runtime / "bin" / "hold-signals", runtime / "bin" / "busybox", "sh", runtime / "start")),
            *arguments,
        ],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := children.read_text().split()):
        pass
    return process, int(found[0])


def _holds(pid: int) -> bool:
    """Whether the first program has run its first instructions: from here on no signal may be lost."""
    status = Path(f"/proc/{pid}/status").read_text()
    (blocked,) = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigBlk"))
    # Not SIGTERM: unshare itself blocks that for a moment, and unblocks it before it becomes our program.
    return bool(blocked >> (signal.SIGUSR2 - 1) & 1)


MOMENTS = [0, 0.001, 0.003, 0.006, 0.01, 0.015, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.45, 0.7, 1.0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_no_moment_of_the_start_loses_a_signal(runtime: Path, number: signal.Signals) -> None:
    for moment in MOMENTS:
        process, first = _start(runtime, "listen", "--", "true")
        while not _holds(first):
            pass
        time.sleep(moment)  # the moment is what is tried, nothing is waited for
        os.kill(first, number)
        said, _ = process.communicate(timeout=60)
        assert (process.returncode, moment) == (0, moment), said
        assert f'watcher.draining {{"reason": "signal {number.name}"}}' in said, (moment, said)
        assert "watcher.stopped" in said


def test_an_installation_that_is_stopped_has_failed(runtime: Path) -> None:
    process, first = _start(runtime, "install", "/nowhere")
    while not _holds(first):
        pass
    os.kill(first, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("seconds", [0, 0.3, 3])
def test_a_storm_of_signals_leaves_the_log_and_the_exit_code(runtime: Path, seconds: float) -> None:
    process, first = _start(runtime, "listen", "--", "true")
    numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2]
    while not _holds(first):
        pass
    time.sleep(seconds)
    sent = 0
    while process.poll() is None:
        try:
            os.kill(first, numbers[sent % len(numbers)])
        except ProcessLookupError:
            break
        sent += 1
        time.sleep(0.002)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "watcher.stopped" in said
