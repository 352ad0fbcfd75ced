"""A proxy in front of the embedded AWS that breaks a share of the calls, each in one of the ways that AWS has."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import threading
from collections import Counter
from types import TracebackType

FAULTS = ("500", "503", "throttled", "reset", "hang", "lost answer")


class FaultyProxy:
    """Runs in a thread while the ``with`` block does; ``broken`` counts the calls of each fault."""

    def __init__(self, upstream_url: str, *, share: float, seed: int) -> None:
        host, _, port = upstream_url.removeprefix("http://").partition(":")
        self._upstream = (host, int(port))
        self._share = share
        self._chance = random.Random(seed)
        self.calls = 0
        self.broken: Counter[str] = Counter()
        self.url = ""
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
                self.calls += 1
                fault = self._chance.choice(FAULTS) if self._chance.random() < self._share else None
                if fault is not None:
                    self.broken[fault] += 1
                    if not await self._break(fault, request, writer):
                        return
                else:
                    writer.write(await self._forward(request))
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the test is over
        finally:
            writer.transport.abort()

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
            case _:
                _reset(writer)
                return False
        await writer.drain()
        return True


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
    body = json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "injected"}).encode()
    head = (
        f"HTTP/1.1 {status} Injected\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of an end."""
    found = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
