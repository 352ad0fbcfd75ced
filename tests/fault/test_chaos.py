"""At least once, under kills and a network that breaks: a ledger written by the workers is the witness."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.proxy import FaultyProxy
from watchbot_cli.local.emulator import Emulator

MESSAGES = 5000
POISON = 10
WATCHERS = 3
KILL_SECONDS = 2.0
KILLS = 12

WORKER = 'echo "$PPID $Message" >> "$LEDGER"; case "$Message" in poison*) exit 5 ;; esac'


@pytest.fixture
def patient_queues(emulator: Emulator) -> Queues:
    return Queues(emulator, "chaos", max_receive_count=100)


def test_every_message_is_processed_and_every_repeat_has_a_kill_behind_it(
    patient_queues: Queues, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger"
    ledger.touch()
    bodies = [*(f"job{number}" for number in range(MESSAGES)), *(f"poison{number}" for number in range(POISON))]
    for start in range(0, len(bodies), 10):
        entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(bodies[start : start + 10])]
        patient_queues.sqs.send_message_batch(QueueUrl=patient_queues.url, Entries=entries)
    started: set[int] = set()
    killed: set[int] = set()
    began_at = time.monotonic()
    with (
        FaultyProxy(patient_queues.emulator.endpoint_url, share=0.05, seed=7) as proxy,
        contextlib.ExitStack() as stack,
    ):

        def watch() -> Program:
            program = Program(patient_queues, WORKER, workers="8", visibility_timeout_seconds="30")
            program.environment |= {"AWS_ENDPOINT_URL": proxy.url, "LEDGER": str(ledger)}
            started.add(stack.enter_context(program).pid)
            return program

        watchers = [watch() for _ in range(WATCHERS)]
        pause = threading.Event()
        for turn in itertools.cycle(range(WATCHERS)):
            pause.wait(KILL_SECONDS)
            if len(killed) == KILLS:
                break
            killed.add(watchers[turn].pid)
            watchers[turn].signal(signal.SIGKILL)
            watchers[turn] = watch()
        while patient_queues.waiting() != (0, 0):
            assert time.monotonic() - began_at < 240, patient_queues.waiting()
            pause.wait(0.5)
        elapsed = time.monotonic() - began_at
    runs: defaultdict[str, list[int]] = defaultdict(list)
    for line in ledger.read_text().splitlines():
        watcher, body = line.split()
        runs[body].append(int(watcher))
    repeated = {body: pids for body, pids in runs.items() if len(pids) > 1}
    unexplained = {body: pids for body, pids in repeated.items() if started.difference(killed).intersection(pids[:-1])}
    dead = set()
    while letters := patient_queues.dead_letters():
        dead |= {letter["Body"] for letter in letters}
    with capsys.disabled():
        print(
            f"\nchaos: {len(bodies)} messages, {sum(map(len, runs.values()))} runs, {len(repeated)} repeated, "
            f"{KILLS} kills, {proxy.calls} calls of which {proxy.broken.total()} broken "
            f"({dict(proxy.broken)}), {elapsed:.0f} s on {os.cpu_count()} cores"
        )
    assert set(runs) == set(bodies)
    assert unexplained == {}
    assert dead == {f"poison{number}" for number in range(POISON)}
