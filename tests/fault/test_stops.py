"""What a stop leaves of FIFO groups: every message visible at once, at the cost of one receive at most."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import time
from collections import Counter

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.proxy import FaultyProxy
from watchbot_cli.local.emulator import Emulator

STOPS = int(os.environ.get("STOPS", "10"))
SIDE_BY_SIDE = 5
GROUPS = 32
MEMBERS = 3
HIDDEN_SECONDS = 5


def _stop(emulator: Emulator, number: int) -> tuple[Counter[int], float]:
    """Stop a watcher with all groups in hand; gives the receives of what is left, and how long it was hidden."""
    queues = Queues(emulator, f"stop-{number}-{time.monotonic_ns()}", fifo=True)
    for group in range(GROUPS):
        queues.send(*map(str, range(MEMBERS)), group=f"g{group}")
    with FaultyProxy(emulator.endpoint_url) as proxy:
        proxy.delays("ChangeMessageVisibilityBatch", 0.15)
        program = Program(queues, "echo began; sleep 3", workers=str(GROUPS + 8), drain_seconds="30")
        program.environment["AWS_ENDPOINT_URL"] = proxy.url
        with program:
            program.says("began", GROUPS)
            program.signal(signal.SIGTERM)
            assert program.exit_code() == 0
            exited_at = time.monotonic()
    return _left(queues, exited_at)


def _left(queues: Queues, exited_at: float) -> tuple[Counter[int], float]:
    """Receive and delete what is left, group for group; the longest wait is that of the last."""
    receives: Counter[int] = Counter()
    left, last_at = sum(queues.waiting()), exited_at
    while left and time.monotonic() < exited_at + 60:
        found = queues.sqs.receive_message(
            QueueUrl=queues.url, MaxNumberOfMessages=10, WaitTimeSeconds=1, AttributeNames=["All"]
        ).get("Messages", [])
        last_at = time.monotonic() if found else last_at
        for message in found:
            receives[int(message["Attributes"]["ApproximateReceiveCount"])] += 1
            queues.sqs.delete_message(QueueUrl=queues.url, ReceiptHandle=message["ReceiptHandle"])
        left -= len(found)
    assert left == 0, f"{left} messages are hidden a minute after the exit"
    return receives, last_at - exited_at


def test_a_stop_hides_no_group_and_costs_a_message_at_most_one_receive(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    receives: Counter[int] = Counter()
    longest = 0.0
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        for counted, seconds in threads.map(lambda number: _stop(emulator, number), range(STOPS)):
            receives += counted
            longest = max(longest, seconds)
    with capsys.disabled():
        print(
            f"\n{STOPS} stops with {GROUPS} groups: {sum(receives.values())} messages left, receive counts of the next "
            f"{dict(sorted(receives.items()))}, the last received {longest:.1f} s after the exit"
        )
    # The receive that follows the stop is one; the stop has cost one more at most.
    assert max(receives, default=1) <= 2
    assert longest < HIDDEN_SECONDS
