"""What is held and polled for is bounded by bytes, and large messages are in S3 while their tasks run."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.payloads import SimulatedPayloads
from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.call_threads import CallThreads
from watchbot.contract import Settings
from watchbot.message import Message
from watchbot.message_memory import WORST_BYTES, MessageMemory, share_of_memory
from watchbot.notice import Bug, JobStarted, QueueTrouble
from watchbot.opener import EnvelopeOpener
from watchbot.payload import Pointer
from watchbot.payload_cleaner import PayloadCleaner
from watchbot.payload_store import PayloadError

SETTINGS = Settings(
    queue_url="https://queue",
    dead_letter_queue_url="https://dead",
    cluster="cluster",
    task_definition="family",
    task_payload_bucket="bucket",
)
TEXT = "\U0001f600" + "x" * 200_000
ENVELOPE = json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": TEXT})
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "text": {"DataType": "String", "StringValue": "a" * 5_000},
    "binary": {"DataType": "Binary.png", "BinaryValue": bytes(range(256)) * 20},
}


def _watch(sqs: SimulatedSqs, ecs: SimulatedEcs, payloads: SimulatedPayloads) -> Watch:
    """Put a watcher of tasks together as the program does."""
    runner = task_runner(ecs, SETTINGS, payloads)
    task_message = runner._task_message
    watch = Watch(sqs, runner, whole=task_message.whole)
    task_message.on_let_go(watch.watcher.content_stored)
    cleaner = PayloadCleaner(payloads, EnvelopeOpener().pointer_of, task_message.parked, lambda *_: None)
    watch.listeners.append(cleaner)
    return watch


def _held(watch: Watch) -> list[Message]:
    return [lease.message for lease in watch.watcher._held.values()]


@pytest.mark.parametrize(
    ("body", "objects"),
    [(TEXT, {"m1"}), (ENVELOPE, {"m1", "m1/body"})],
    ids=["a text is stored once", "an envelope is stored beside its text"],
)
def test_a_large_message_is_in_the_bucket_while_its_task_runs(body: str, objects: set[str]) -> None:
    payloads = SimulatedPayloads()

    async def scenario() -> None:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        sqs.put(body)
        watch = _watch(sqs, ecs, payloads)
        await watch.after(30)
        (message,) = _held(watch)
        assert (message.body, message.content_bytes < 100) == ("", True)
        assert {pointer.key for pointer in payloads.objects} == objects
        (started,) = watch.told(JobStarted)
        assert isinstance(started, JobStarted)
        assert started.text is not None
        assert TEXT.startswith(started.text)
        assert len(started.text) > 2_048

    run_virtual(scenario())


@pytest.mark.parametrize("body", [TEXT, ENVELOPE])
def test_its_dead_letter_has_the_whole_body_and_attributes(body: str) -> None:
    payloads = SimulatedPayloads()

    async def scenario() -> SimulatedSqs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(exit_code=5)
        sqs.put(body, attributes=ATTRIBUTES)
        watch = _watch(sqs, ecs, payloads)
        await watch.after(30)
        (message,) = _held(watch)
        assert message.message_attributes == {}
        await watch.after(60)
        assert watch.told(Bug) == []
        return sqs

    sqs = run_virtual(scenario())
    (letter,) = sqs.dead_letters
    assert letter["MessageBody"] == body
    assert {name: letter["MessageAttributes"][name] for name in ATTRIBUTES} == ATTRIBUTES
    assert sqs.stored == {}
    assert payloads.objects == {}


def test_a_message_whose_content_is_gone_stays_in_the_queue() -> None:
    payloads = SimulatedPayloads()

    async def scenario() -> None:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(exit_code=5)
        sqs.put(TEXT)
        watch = _watch(sqs, ecs, payloads)
        await watch.after(30)
        payloads.objects.clear()
        await watch.after(50)
        assert sqs.dead_letters == []
        assert list(sqs.stored) == ["m1"]
        assert any("no dead letter was sent" in str(notice) for notice in watch.told(QueueTrouble))
        # Its next receive brings the body again, and the task that has ended still says what to do.
        await watch.after(120)
        assert [letter["MessageBody"] == TEXT for letter in sqs.dead_letters] == [True]
        assert len(ecs.requests) == 1

    run_virtual(scenario())


def test_a_bucket_that_cannot_be_read_delays_the_dead_letter() -> None:
    class Down(SimulatedPayloads):
        is_down = False

        async def text(self, pointer: Pointer, limit: int) -> str | None:
            if self.is_down:
                raise PayloadError("no")
            return await super().text(pointer, limit)

    async def scenario() -> None:
        sqs, ecs, payloads = SimulatedSqs(), SimulatedEcs(exit_code=5), Down()
        sqs.put(TEXT)
        watch = _watch(sqs, ecs, payloads)
        await watch.after(30)
        payloads.is_down = True
        await watch.after(60)
        assert (sqs.dead_letters, list(sqs.stored)) == ([], ["m1"])
        payloads.is_down = False
        await watch.after(60)
        assert [letter["MessageBody"] == TEXT for letter in sqs.dead_letters] == [True]
        assert len(sqs.ever["m1"].receives) == 1

    run_virtual(scenario())


def test_an_adopted_message_is_stored_as_well() -> None:
    payloads = SimulatedPayloads()

    async def scenario() -> None:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=600)
        sqs.put(ENVELOPE)
        first = _watch(sqs, ecs, payloads)
        await first.after(30)
        await first.stopped()
        payloads.objects.clear()
        second = _watch(sqs, ecs, payloads)
        await second.after(60)
        (message,) = _held(second)
        assert message.stored is not None
        assert {pointer.key for pointer in payloads.objects} == {"m1", "m1/body"}
        assert len(ecs.requests) == 1

    run_virtual(scenario())


def test_content_is_written_again_before_the_bucket_deletes_it() -> None:
    payloads = SimulatedPayloads()

    async def scenario() -> None:
        sqs, ecs = SimulatedSqs(), SimulatedEcs(seconds=30 * 3600)
        sqs.put(ENVELOPE)
        watch = _watch(sqs, ecs, payloads)
        await watch.after(25 * 3600)
        assert {pointer.key for pointer in payloads.renewed} == {"m1", "m1/body"}
        # The message was received again twice meanwhile; its content is not held for that.
        assert len(sqs.ever["m1"].receives) == 3
        (message,) = _held(watch)
        assert message.body == ""

    run_virtual(scenario())


def test_no_more_is_received_than_there_is_memory_for() -> None:
    async def scenario() -> int:
        sqs = SimulatedSqs()
        sqs.put(*[f"{number}" + "x" * 500_000 for number in range(50)])
        runner = SimulatedRunner(lambda job: Work(seconds=90), workers=50)
        watch = Watch(sqs, runner, max_polls=5, memory_bytes=10 << 20)
        await watch.after(60)
        held = len(_held(watch))
        await watch.after(1_000)
        assert not sqs.stored
        return held

    assert 5 <= run_virtual(scenario()) <= 10


def test_small_messages_fill_every_slot() -> None:
    async def scenario() -> int:
        sqs = SimulatedSqs()
        sqs.put(*["x"] * 200)
        watch = Watch(
            sqs, SimulatedRunner(lambda job: Work(seconds=90), workers=200), max_polls=5, memory_bytes=WORST_BYTES
        )
        await watch.after(60)
        return len(_held(watch))

    assert run_virtual(scenario()) == 200


def _message(text: str, message_id: str = "m") -> Message:
    return Message(message_id, "handle", text, {}, {}, 0)


def test_until_the_first_answer_every_message_may_be_the_largest() -> None:
    memory = MessageMemory(4 * WORST_BYTES, lambda: None)
    assert memory.room() == 4
    taken = memory.take(4)
    assert memory.room() == 0
    memory.answered(taken, [_message("x")])
    assert memory.room() > 30


def test_one_message_is_polled_for_however_little_memory_there_is() -> None:
    changes: list[int] = []
    memory = MessageMemory(1, lambda: changes.append(1))
    assert memory.room() == 1
    memory.hold(_message("x"))
    assert memory.room() == 0
    memory.release("m")
    memory.release("m")
    assert (memory.room(), len(changes)) == (1, 1)


def test_a_message_is_counted_by_the_memory_that_it_takes() -> None:
    def room_beside(text: str) -> int:
        memory = MessageMemory(100 << 20, lambda: None)
        memory.answered(0, [_message(text)])
        memory.hold(_message(text))
        return memory.room()

    assert room_beside("x" * (1 << 20)) > 40
    assert 8 < room_beside("x" * (1 << 20) + "\U0001f600") < 12


@pytest.mark.parametrize(
    ("limits", "most", "share"),
    [(["268435456\n"], None, 64 << 20), (["max\n", "1073741824\n"], 64 << 20, 64 << 20), ([], 1, 1)],
)
def test_messages_get_a_quarter_of_the_containers_memory(
    tmp_path: Path, limits: list[str], most: int | None, share: int
) -> None:
    files = [tmp_path / f"limit{number}" for number, _ in enumerate(limits)]
    for file, text in zip(files, limits, strict=True):
        file.write_text(text)
    assert share_of_memory(most, [*map(str, files), str(tmp_path / "missing")]) == share


def test_answers_do_not_outlive_their_use_in_a_cycle() -> None:
    class Answer:
        pass

    async def scenario() -> weakref.ref[Any]:
        threads = CallThreads(1, "t", 5)
        answer = await threads.make(Answer)
        threads._threads.shutdown(wait=True)  # the thread has let go of it as well
        return weakref.ref(answer)

    gc.disable()
    try:
        assert asyncio.run(scenario())() is None
    finally:
        gc.enable()
