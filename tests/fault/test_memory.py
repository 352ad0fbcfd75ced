"""The largest messages that SQS takes fit into half of the watcher's task, however many tasks run.

A thousand take a minute, because an account launches no more than 20 a second. So here are 600, and what each one
leaves behind is small enough for a thousand.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bench.usage import peak_bytes

from tests.fault.large_messages import FAMILY, LargeMessages
from tests.fault.memory_cgroup import NoCgroupError, memory_cgroup
from watchbot.contract import Settings
from watchbot.journal import parse_line

LIMIT_BYTES = 256 << 20
ADOPTED, NEW = 60, 540
MOST_BYTES_A_TASK = 64 << 10
_EARLY = 200
_PATIENCE_SECONDS = 110.0


def _environment(url: str) -> dict[str, str]:
    settings = Settings(
        queue_url=f"{url}/000000000000/q",
        dead_letter_queue_url=f"{url}/000000000000/dead",
        endpoint_url=url,
        service="large",
        workers=ADOPTED + NEW,
        cluster="c",
        task_definition=f"arn:aws:ecs:us-east-1:000000000000:task-definition/{FAMILY}:1",
        task_payload_bucket="payloads",
    )
    return {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **settings.to_env(),
    }


def _resident_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) << 10


def _watched(watcher: subprocess.Popen[bytes], aws: LargeMessages, tasks: int, give_up_at: float) -> None:
    """Wait until so many tasks run, and the bodies of their messages are in the bucket."""
    while min(aws.bodies_stored, aws.running) < tasks:
        assert watcher.poll() is None, f"the watcher has ended with {watcher.returncode}"
        assert time.monotonic() < give_up_at, (aws.bodies_stored, aws.running)
        time.sleep(0.1)


def test_tasks_with_messages_of_1_mib_fit_into_256_mib(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    try:
        limited = memory_cgroup(LIMIT_BYTES)
        with limited as cgroup, LargeMessages(ADOPTED, NEW) as aws, log.open("wb") as output:
            command = cgroup.joining([sys.executable, "-P", "-m", "watchbot", "listen"])
            began_at = time.monotonic()
            watcher = subprocess.Popen(command, env=_environment(aws.url), stdout=output, stderr=subprocess.STDOUT)
            try:
                _watched(watcher, aws, _EARLY, began_at + _PATIENCE_SECONDS)
                early = _resident_bytes(watcher.pid)
                _watched(watcher, aws, ADOPTED + NEW, began_at + _PATIENCE_SECONDS)
                took, peak, late = time.monotonic() - began_at, peak_bytes(watcher.pid), _resident_bytes(watcher.pid)
            finally:
                watcher.kill()
                watcher.wait()
            with_kernel = cgroup.peak_bytes
    except NoCgroupError as error:
        pytest.skip(f"no memory cgroup can be made here: {error}")
    with capsys.disabled():
        print(
            f"\n{ADOPTED + NEW} tasks, messages of 1 MiB: peak {peak >> 20} MiB,"
            f" with the kernel's part {with_kernel >> 20} MiB, {late >> 20} MiB in the end, {took:.0f} s"
        )
    entries = [entry for line in log.read_text().splitlines() if (entry := parse_line(line)) is not None]
    assert {entry.event for entry in entries} & {"watcher.bug", "queue.error", "ecs.error"} == set()
    # Another poll may be open at one look than at the other.
    assert late - early < (ADOPTED + NEW - _EARLY) * MOST_BYTES_A_TASK + (64 << 20)
    assert peak + (1_000 - ADOPTED - NEW) * MOST_BYTES_A_TASK < LIMIT_BYTES
