"""A proxy in front of the embedded AWS that breaks calls: a share of them by chance, or just those it is told to."""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import struct
import threading
import time
from collections import Counter, defaultdict, deque
from types import TracebackType
from typing import Any

FAULTS = ("500", "503", "throttled", "reset", "hang", "lost answer")
"""Each is one of the ways that AWS has. Told by name, a proxy also knows ``partly`` (a batch of which every second
entry fails), ``empty`` and ``garbage`` (200, and nothing that was asked for); any other name is an error code of SQS.
"""

PATIENCE_SECONDS = 60


class FaultyProxy:
    """Runs in a thread while the ``with`` block does.

    ``broken`` counts the calls of each fault; ``made`` has the time of every call by the name of its action.
    """

    def __init__(self, upstream_url: str, *, share: float = 0, seed: int = 0) -> None:
        host, _, port = upstream_url.removeprefix("http://").partition(":")
        self._upstream = (host, int(port))
        self._share = share
        self._chance = random.Random(seed)
        self.calls = 0
        self.broken: Counter[str] = Counter()
        self.made: defaultdict[str, list[float]] = defaultdict(list)
        self.url = ""
        self._next: defaultdict[str, deque[str | None]] = defaultdict(deque)
        self._always: dict[str, str] = {}
        self._delays: dict[str, float] = {}
        self._changed = threading.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> FaultyProxy:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def breaks(self, action: str, *faults: str) -> None:
        """Break the next calls of this action, each in its own way."""
        self._next[action].extend(faults)

    def spares(self, action: str, count: int) -> None:
        """Let so many of the next calls of this action through, and only then break it."""
        self._next[action].extend([None] * count)

    def breaks_every(self, action: str, fault: str) -> None:
        """Break all calls of this action until it is healed."""
        self._always[action] = fault

    def delays(self, action: str, seconds: float) -> None:
        """Pass the answers to this action on so much later."""
        self._delays[action] = seconds

    def heals(self, action: str) -> None:
        """Break this action no more."""
        self._always.pop(action, None)
        self._next[action].clear()

    def sees(self, action: str, count: int) -> None:
        """Wait until this action has been called so often."""
        with self._changed:
            found = self._changed.wait_for(lambda: len(self.made[action]) >= count, PATIENCE_SECONDS)
        assert found, f"{action} was called {len(self.made[action])} times, not {count}"

    async def _serve(self) -> asyncio.Server:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self._server

    async def _stop(self) -> None:
        self._server.close()
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Held here: a connection that has been reset may be the only other thing that knows of its task.
        task = self._loop.create_task(self._handle(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _message(reader)) is not None:
                fault = self._fault(request)
                if fault is not None:
                    self.broken[fault] += 1
                    if not await self._break(fault, request, writer):
                        return
                else:
                    answer = await self._forward(request)
                    await asyncio.sleep(self._delays.get(_action(request), 0))
                    writer.write(answer)
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the test is over
        finally:
            writer.transport.abort()

    def _fault(self, request: bytes) -> str | None:
        action = _action(request)
        with self._changed:
            self.calls += 1
            self.made[action].append(time.monotonic())
            self._changed.notify_all()
        if self._next[action]:
            return self._next[action].popleft()
        if action in self._always:
            return self._always[action]
        return self._chance.choice(FAULTS) if self._chance.random() < self._share else None

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._upstream)
        try:
            writer.write(request)
            answer = await _message(reader)
            if answer is None:
                raise ConnectionResetError
            return answer
        finally:
            writer.transport.abort()

    async def _break(self, fault: str, request: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answer with this fault; whether the connection lives on."""
        match fault:
            case "500" | "503":
                writer.write(_answer(int(fault), "InternalFailure" if fault == "500" else "ServiceUnavailable"))
            case "throttled":
                writer.write(_answer(400, "ThrottlingException"))
            case "hang":
                await asyncio.sleep(60)
                return False
            case "lost answer":
                await self._forward(request)
                _reset(writer)
                return False
            case "reset":
                _reset(writer)
                return False
            case "partly":
                writer.write(await self._partly(request))
            case "empty":
                writer.write(_http(200, b"{}"))
            case "garbage":
                writer.write(_http(200, b"<html>log in to the hotel's network first</html>"))
            case _:
                writer.write(_answer(400, fault))
        await writer.drain()
        return True

    async def _partly(self, request: bytes) -> bytes:
        """Carry out every second entry of a batch; SQS says of the others that it failed, and that it was SQS."""
        head, _, body = request.partition(b"\r\n\r\n")
        batch = json.loads(body)
        failed, batch["Entries"] = batch["Entries"][::2], batch["Entries"][1::2]
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        if batch["Entries"]:
            shortened = json.dumps(batch).encode()
            head = re.sub(rb"(?i)content-length: *\d+", b"Content-Length: %d" % len(shortened), head)
            answer = json.loads((await self._forward(head + b"\r\n\r\n" + shortened)).partition(b"\r\n\r\n")[2])
        fault = {"Code": "InternalError", "SenderFault": False, "Message": "injected"}
        answer["Failed"] = [*answer.get("Failed", []), *({**fault, "Id": entry["Id"]} for entry in failed)]
        return _http(200, json.dumps(answer).encode())


def _action(request: bytes) -> str:
    found = re.search(rb"(?i)\r\nx-amz-target: *(?:AmazonSQS|Logs_\d+)\.(\w+)", request)
    return found[1].decode() if found else ""


async def _message(reader: asyncio.StreamReader) -> bytes | None:
    """Read one HTTP message with its body; None at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return head + await reader.readexactly(length)


def _answer(status: int, code: str) -> bytes:
    return _http(status, json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "injected"}).encode())


def _http(status: int, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} Injected\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of an end."""
    found = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
