"""The network between a contender and the embedded AWS: delays every answer, and counts what is asked.

Run as ``python -m bench.proxy HOST:PORT DELAY_SECONDS MESSAGES``, in a process of its own. It prints one JSON object a
line: its port; when the first messages were handed out; and, once as many messages have been deleted as there are, what
it has counted. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter, deque
from typing import Any, cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ACTION = re.compile(rb"\r\nx-amz-target: *AmazonSQS\.(\w+)", re.IGNORECASE)
_HANDLE = b'"ReceiptHandle"'


class Traffic:
    """What has passed; tells its standard output of the first message and of the last delete."""

    def __init__(self, messages: int) -> None:
        self._left = messages
        self._first: float | None = None
        self._requests: Counter[str] = Counter()

    def asked(self, action: str) -> None:
        """Count a request."""
        if self._left > 0:
            self._requests[action] += 1

    def answered(self, action: str, handles_asked: int, handles_answered: int) -> None:
        """Take an answer that the contender has just been given."""
        if action == "ReceiveMessage" and handles_answered and self._first is None:
            self._first = time.monotonic()
            _say({"event": "first"})
        if action.startswith("DeleteMessage") and self._left > 0:
            self._left -= handles_asked
            if self._left <= 0 and self._first is not None:
                seconds = time.monotonic() - self._first
                _say({"event": "done", "seconds": seconds, "requests": self._requests})


class Connection:
    """One connection of the contender and its own to the embedded AWS: bytes pass as they are, answers later."""

    def __init__(self, traffic: Traffic, delay_seconds: float) -> None:
        self._traffic = traffic
        self._delay_seconds = delay_seconds
        self._request = b""
        self._action = ""
        self._handles_asked = 0
        self._answer_seen = True
        self._late: deque[bytes] = deque()
        self.near: asyncio.Transport | None = None
        self.far: asyncio.Transport | None = None

    def from_near(self, data: bytes) -> None:
        """Pass on a piece of a request; a contender sends the next only when it has the answer."""
        if self.far is None:
            return
        self.far.write(data)
        self._request += data
        head, found, body = self._request.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or len(body) < (int(length[1]) if length else 0):
            return
        action = _ACTION.search(head)
        self._action = action[1].decode() if action else "other"
        self._handles_asked = body.count(_HANDLE)
        self._answer_seen = False
        self._request = b""
        self._traffic.asked(self._action)

    def from_far(self, data: bytes) -> None:
        """Pass on a piece of an answer, or its end (empty), when its time has come; pieces keep their order."""
        if not self._delay_seconds:
            self._give(data)
            return
        self._late.append(data)
        asyncio.get_running_loop().call_later(self._delay_seconds, lambda: self._give(self._late.popleft()))

    def _give(self, data: bytes) -> None:
        if self.near is None:
            return
        if not data:
            self.near.close()
            return
        self.near.write(data)
        handles = data.count(_HANDLE)
        # The head may come alone; a receive is answered with messages when they are there.
        if not self._answer_seen and (self._action != "ReceiveMessage" or handles):
            self._answer_seen = True
            self._traffic.answered(self._action, self._handles_asked, handles)

    def near_lost(self) -> None:
        """The contender has gone."""
        self.near = None
        if self.far is not None:
            self.far.abort()


class _Side(asyncio.Protocol):
    def __init__(self, connection: Connection, *, is_near: bool, upstream: tuple[str, int]) -> None:
        self._connection = connection
        self._is_near = is_near
        self._upstream = upstream
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._is_near:
            self._connection.near = cast("asyncio.Transport", transport)
            self._connection.near.pause_reading()
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
        else:
            self._connection.far = cast("asyncio.Transport", transport)

    async def _connect(self) -> None:
        other = _Side(self._connection, is_near=False, upstream=self._upstream)
        await asyncio.get_running_loop().create_connection(lambda: other, *self._upstream)
        if self._connection.near is not None:
            self._connection.near.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._is_near:
            self._connection.from_near(data)
        else:
            self._connection.from_far(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_near:
            self._connection.near_lost()
        else:
            self._connection.from_far(b"")


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


async def main(upstream: str, delay_seconds: float, messages: int) -> None:
    host, _, port = upstream.rpartition(":")
    traffic = Traffic(messages)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Side(Connection(traffic, delay_seconds), is_near=True, upstream=(host, int(port))), "127.0.0.1", 0
    )
    _say({"event": "listening", "port": server.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
