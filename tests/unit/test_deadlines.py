"""A call has a deadline as a whole: bytes that trickle in do not move it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watchbot import aws_session
from watchbot.aws_session import AwsAccess
from watchbot.call_threads import CallThreads, NoThreadError
from watchbot.deadline import CallTimeoutError, progressed
from watchbot.ecs import BotoEcs, EcsError
from watchbot.payload import Pointer
from watchbot.payload_store import BotoPayloads, PayloadError
from watchbot.protection import EcsAgent, ProtectionError
from watchbot.signing_secret import BotoSecrets, SecretError
from watchbot.sns import BotoSns, Notification, PublishError
from watchbot.sqs import BotoSqs, Entry, SqsError
from watchbot.task_log import BotoStreams, LogReadError
from watchbot.whereabouts import Whereabouts

SECONDS = 0.4
_BYTE_EACH_SECONDS = 0.05
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"


class Trickle:
    """Sends the head of every answer and then its body, or ``head`` too, one byte at a time, until it is left."""

    def __init__(self, *, head: bool = False) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._head = head
        self._over = threading.Event()
        self.closed = threading.Semaphore(0)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._trickle, args=[connection], daemon=True).start()

    def _trickle(self, connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
        slow = itertools.chain(head, itertools.repeat(32)) if self._head else itertools.repeat(32)
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            if not self._head:
                connection.sendall(head)
            for byte in slow:
                connection.sendall(bytes([byte]))
                if self._over.wait(_BYTE_EACH_SECONDS):
                    break
        self.closed.release()

    def close(self) -> None:
        self._over.set()
        self._server.close()


@pytest.fixture(params=[False, True], ids=["body", "head"])
def trickle(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trickle]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = Trickle(head=request.param)
    yield server
    server.close()


def _hurried(wire: Any) -> Any:
    """Shorten every deadline of a wire."""
    for threads in vars(wire).values():
        if isinstance(threads, CallThreads):
            threads._seconds = SECONDS
    return wire


def test_every_call_to_aws_ends_at_its_deadline_though_bytes_trickle_in(trickle: Trickle, tmp_path: Path) -> None:
    aws = AwsAccess({}, QUEUE, trickle.url)
    sqs = _hurried(BotoSqs(QUEUE, 180, 1, aws))
    ecs, payloads = _hurried(BotoEcs("c", aws)), _hurried(BotoPayloads(aws, 60))
    pointer = Pointer("bucket", "key")
    calls: list[tuple[Callable[[], Awaitable[Any]], type[Exception]]] = [
        (lambda: sqs.receive(10), SqsError),
        (lambda: sqs.delete([Entry("a")]), SqsError),
        (lambda: sqs.change_visibility([Entry("a")], heartbeat=True), SqsError),
        (lambda: sqs.send(QUEUE, {"MessageBody": "x"}), SqsError),
        (lambda: ecs.run_task({"taskDefinition": "f"}), EcsError),
        (lambda: ecs.describe_tasks(["a"]), EcsError),
        (lambda: payloads.text(pointer, 1_000_000), PayloadError),
        (lambda: payloads.put(pointer, b"x"), PayloadError),
        (lambda: payloads.fetch(pointer, str(tmp_path / "file"), 1 << 30), PayloadError),
        (lambda: _hurried(BotoSecrets(aws, "secret", None)).fetch(), SecretError),
        (lambda: _hurried(BotoStreams("group", aws)).last("stream", 10), LogReadError),
        (
            lambda: _hurried(BotoSns("arn:aws:sns:eu-west-1:1:t", aws)).publish(Notification("s", "t")),
            PublishError,
        ),
        (lambda: _hurried(EcsAgent(trickle.url)).protect(5), ProtectionError),
    ]

    async def scenario() -> None:
        answers = await asyncio.gather(*[call() for call, _ in calls], return_exceptions=True)
        for answer, (_, kind) in zip(answers, calls, strict=True):
            assert isinstance(answer, kind), answer
            assert "no whole answer within 0.4 seconds" in str(answer)
        metadata = _hurried(Whereabouts({"ECS_CONTAINER_METADATA_URI_V4": trickle.url}))
        assert await metadata.task() is None

    asyncio.run(scenario())
    for _ in range(len(calls) + 1):
        assert trickle.closed.acquire(timeout=10), "a connection is still open, and its thread still reads"


def test_the_thread_of_a_call_that_is_over_makes_the_next_one(trickle: Trickle) -> None:
    sqs = _hurried(BotoSqs(QUEUE, 180, 1, AwsAccess({}, QUEUE, trickle.url)))

    async def scenario() -> None:
        for _ in range(3):  # a poller with one thread
            with pytest.raises(SqsError, match="no whole answer"):
                await sqs.receive(10)

    asyncio.run(scenario())
    assert len(sqs._polls._threads._threads) == 1


def test_credentials_that_trickle_in_are_given_up(trickle: Trickle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{trickle.url}/role")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setattr(aws_session, "_CREDENTIALS_SECONDS", SECONDS)
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
    sqs = _hurried(BotoSqs(QUEUE, 180, 1, AwsAccess({}, QUEUE)))
    with pytest.raises(SqsError):  # and the watcher has started, for an endpoint that answers later
        asyncio.run(sqs.receive(10))
    assert trickle.closed.acquire(timeout=10)


def test_a_call_that_makes_progress_goes_on_up_to_its_total_limit() -> None:
    threads = CallThreads(1, "t", 0.2)
    ticks = threading.Event()

    def steady(count: int) -> str:
        for _ in range(count):
            ticks.wait(0.05)
            progressed()
        return "done"

    async def scenario() -> None:
        assert await threads.make(lambda: steady(8), most_seconds=60) == "done"
        with pytest.raises(CallTimeoutError):
            await threads.make(lambda: steady(40), most_seconds=0.5)

    asyncio.run(scenario())
    threads.close()


def test_a_call_waits_for_a_thread_without_losing_its_time() -> None:
    threads = CallThreads(1, "t", 0.3)
    release = threading.Event()

    async def scenario() -> None:
        first = asyncio.ensure_future(threads.make(lambda: release.wait(0.25)))
        second = asyncio.ensure_future(threads.make(lambda: release.wait(0.25)))
        assert [await first, await second] == [False, False]

    asyncio.run(scenario())
    threads.close()


def test_a_call_without_a_thread_is_not_made_later(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as limited:
        limited.setattr(threading.Thread, "start", no_thread)
        threads = CallThreads(1, "t", 5)

    async def scenario() -> None:
        with monkeypatch.context() as limited:
            limited.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(NoThreadError):
                await threads.make(lambda: made.append(1))
        await threads.make(lambda: made.append(2))

    asyncio.run(scenario())
    threads.close()
    assert made == [2]


def test_the_poll_of_the_settings_is_as_long_as_its_deadline_says() -> None:

    assert BotoSqs(QUEUE, 180, 1, AwsAccess({}, QUEUE), 9)._polls._seconds == 19
