"""Whatever is in the queue, the watcher goes on: every message reaches its worker exactly, or goes with a reason."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.property.messages import Sent, as_bytes, generated
from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.backoff import Backoff
from watchbot.job import Job
from watchbot.notice import Bug, JobFinished, JobStarted, LeaseLost, QueueTrouble
from watchbot.settlement import removes
from watchbot.sqs import SqsError


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


def _late_queue(chance: random.Random) -> SimulatedSqs:
    """Draw a queue that answers each call late, and some calls not at all although it has carried them out."""
    sqs = SimulatedSqs(fifo=chance.random() < 0.6, visibility_seconds=chance.choice([12, 30, 180]))
    longest = {name: chance.choice([0.0, 0.02, 0.2, 1.5]) for name in ("receive", "return", "delete", "heartbeat")}
    sqs.answer_seconds = lambda name: chance.uniform(0, longest.get(name, 0.02))
    share = chance.choice([0, 0, 0.1])
    sqs.loses = lambda name, number: (
        SqsError("timed out") if name in ("return", "delete", "heartbeat") and chance.random() < share else None
    )
    for number in range(chance.randint(3, 25)):
        sqs.put(str(number), group=chance.choice("abc"))
    return sqs


def _work(chance: random.Random, job: Job) -> Work:
    return Work(chance.choice([0.0, 0.1, 1.0, 7.0]), chance.choice([0, 0, 0, 3, 4, 1, 5]))


@settings(max_examples=30)
@given(st.randoms(use_true_random=True))
def test_no_message_is_hidden_repeated_or_overtaken_however_late_answers_are(chance: random.Random) -> None:
    """Two watchers are stopped, one of them perhaps by two signals, and a third finishes the rest."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        sqs = _late_queue(chance)
        finished: list[str] = []
        for stop_after in (chance.uniform(0, 20), chance.uniform(0, 20), 20_000):
            runner = SimulatedRunner(lambda job: _work(chance, job), workers=chance.randint(1, 12))
            backoff = Backoff(base=chance.choice([0, 1.5]))
            watch = Watch(sqs, runner, backoff=backoff, max_polls=2, max_receive_count=10_000)
            await watch.after(stop_after)
            stop_at = loop.time()
            stopping = asyncio.create_task(watch.stopped())
            hurried = chance.random() < 0.3
            if hurried:
                await watch.after(chance.uniform(0, 3))
                watch.stop.request("again")
            assert await stopping == 0
            assert watch.told(Bug) == watch.told(LeaseLost) == []
            for notice in watch.notices:
                if isinstance(notice, JobStarted):
                    assert notice.message.message_id not in finished, "finished work was run again"
                if isinstance(notice, JobFinished) and removes(notice.settlement):
                    finished.append(notice.message.message_id)
            # A second signal leaves an open poll, and what nobody had received may go to it; else nothing is hidden.
            for one in sqs.stored.values():
                assert sum(at > stop_at for at in one.receives) <= 1, "a stop cost a message more than one receive"
                if not hurried:
                    longest = max([0, *one.returned[-1:]])
                    assert one.visible_at - loop.time() <= longest, "a message is hidden though no watcher holds it"
        assert sqs.stored == {}
        assert sorted(finished) == sorted(sqs.ever)
        for group in "abc" if sqs.fifo else "":
            numbers = [int(name[1:]) for name in finished if sqs.ever[name].group == group]
            assert all(one < other for one, other in itertools.pairwise(numbers)), "a message overtook its group"

    run_virtual(scenario())


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
