"""Whatever is in the queue, the watcher goes on: every message reaches its worker exactly, or goes with a reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.property.messages import Sent, as_bytes, generated
from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.notice import Bug, QueueTrouble


def test_the_engine_settles_every_message_with_each_outcome_and_survives() -> None:
    messages = generated(300)
    exit_codes = (0, 3, 5, 1)

    async def scenario() -> tuple[SimulatedSqs, SimulatedRunner]:
        sqs = SimulatedSqs()
        sqs.put(*(sent.body for sent in messages))
        runner = SimulatedRunner(
            lambda job: Work(0.01, exit_codes[int(job.message.message_id[1:]) % len(exit_codes)]), workers=20
        )
        watch = Watch(sqs, runner, max_polls=2, max_receive_count=1)
        await watch.after(120)
        assert watch.told(Bug) == []
        assert watch.told(QueueTrouble) == []
        assert await watch.stopped() == 0
        return sqs, runner

    sqs, runner = run_virtual(scenario())
    assert sorted(runner.texts) == sorted(sent.text for sent in messages)
    assert len(sqs.deleted) == len(messages)
    dead = [letter["MessageBody"] for letter in sqs.dead_letters]
    assert sorted(dead) == sorted(sent.body for number, sent in enumerate(messages, 1) if number % 4 in (2, 3))
    assert all(letter["MessageAttributes"]["watchbot.Reason"]["StringValue"] for letter in sqs.dead_letters)


EMULATORS_LIMIT = 262_144
"""Bytes of a body that the embedded AWS takes; SQS takes four times as many."""

# What a worker sees, byte for byte: its message file, and the environment of a program that it starts.
SEES = 'cat "$MessageFile" > "$SEEN/$MessageId.file" && cat /proc/self/environ > "$SEEN/$MessageId.environment"'


def test_workers_of_the_real_program_see_exactly_what_was_sent(queues: Queues, tmp_path: Path) -> None:
    largest = [Sent(text, text, None, {}, {}) for text in ("x" * EMULATORS_LIMIT, "\u00e9" * (EMULATORS_LIMIT // 2))]
    messages = [one for one in generated(150) if len(one.body.encode()) < EMULATORS_LIMIT - 4096]
    assert len(messages) > 100
    sent = {_send(queues, one): one for one in [*messages, *largest]}
    program = Program(queues, SEES, workers="8", max_receive_count="1")
    program.environment["SEEN"] = str(tmp_path)
    with program:
        program.hears("job.finished", len(sent))
        assert {heard.fields["outcome"] for heard in program.events("job.finished")} == {"succeeded"}
        assert program.events("watcher.bug") == []
        assert program.events("queue.error") == []
        queues.becomes(0, 0)
    for message_id, one in sent.items():
        assert (tmp_path / f"{message_id}.file").read_bytes() == as_bytes(one.text)
        _check_environment((tmp_path / f"{message_id}.environment").read_bytes(), one)


def _send(queues: Queues, one: Sent) -> str:
    attributes: Mapping[str, Any] = one.sqs_attributes
    answer = queues.sqs.send_message(QueueUrl=queues.url, MessageBody=one.body, MessageAttributes=attributes)
    return str(answer["MessageId"])


def _check_environment(environment: bytes, one: Sent) -> None:
    pairs = (entry.partition(b"=") for entry in environment.split(b"\0") if entry)
    found = {name: value for name, _, value in pairs}
    for name, value in (("Message", one.text), ("Subject", one.subject)):
        fits = value is not None and "\0" not in value and len(name) + len(as_bytes(value)) + 2 <= 131_072
        assert found.get(name.encode()) == (as_bytes(value) if fits and value is not None else None)
    attributes = found.get(b"MessageAttributes")
    if one.attributes:
        assert attributes is not None
        assert json.loads(attributes.decode("utf-8", "surrogatepass")) == one.attributes
    else:
        assert attributes is None
