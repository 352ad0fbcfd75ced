"""How long a message waits for its worker, sent to a contender that has nothing to do."""

from __future__ import annotations

import os
import random
import re
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.contender import Contender, watchbot
from bench.race import RaceError, Track, envelope
from watchbot_cli.local.emulator import Emulator

STEP_SECONDS = 0.1
"""The embedded AWS looks for messages so often during a long poll."""

_IDLE_SECONDS = 0.25
_PATIENCE_SECONDS = 30.0
_WARM_UP = 3
_TIME = re.compile(rb"(\d{10}\.\d+)$")

LONG_POLL = Contender("bare long poll", 1, [sys.executable, str(Path(__file__).with_name("long_poll.py")), "QUEUE"])


def pickups(emulator: Emulator, track: Track, samples: int, advance: Callable[[str], None]) -> dict[str, list[float]]:
    """Give seconds from the send to the worker's own first look at the clock, and to a bare client's receive."""
    phases = spread(samples)
    waits = {}
    for one, command in ((watchbot(), ["date", "+%s.%N"]), (LONG_POLL, [])):
        advance(f"{one.name}, publish to worker started")
        waits[one.name] = _pickups(emulator, track, one, command, phases)
    return waits


def spread(samples: int) -> list[float]:
    """Give moments evenly over one step of the poll, shuffled, so that its coarseness is the same for everyone."""
    phases = [STEP_SECONDS * number / samples for number in range(samples)]
    random.Random(samples).shuffle(phases)
    return phases


def _pickups(
    emulator: Emulator,
    track: Track,
    contender: Contender,
    command: list[str],
    phases: list[float],
) -> list[float]:
    sqs: Any = emulator.client("sqs")
    path = track.queue()
    reading, writing = os.pipe()
    port = urlsplit(emulator.endpoint_url).port or 80
    waits = []
    try:
        with track.start(contender, command, path, port, writing), os.fdopen(reading, "rb", buffering=0) as said:
            seen_at = time.time() + 1.0
            for number, phase in enumerate([0.0] * _WARM_UP + phases):
                time.sleep(max(0.0, seen_at + _IDLE_SECONDS + phase - time.time()))
                sent_at = time.time()
                sqs.send_message(QueueUrl=emulator.endpoint_url + path, MessageBody=envelope(number))
                seen_at = _next_time(said.fileno(), contender.name)
                if number >= _WARM_UP:
                    waits.append(seen_at - sent_at)
    finally:
        os.close(writing)
    return waits


def _next_time(descriptor: int, name: str) -> float:
    """Read up to the next line that ends in seconds since 1970, which come in one write."""
    until = time.monotonic() + _PATIENCE_SECONDS
    rest = b""
    while select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
        *lines, rest = (rest + os.read(descriptor, 65_536)).split(b"\n")
        for line in lines:
            if found := _TIME.search(line):
                return float(found[1])
    raise RaceError(f"{name} has not taken a message within {_PATIENCE_SECONDS:g} seconds")
