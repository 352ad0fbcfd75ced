"""ECS and SQS on the wire that AWS's clients speak, in a process of its own.

Run as ``python -m bench.scale.server LIFE``, where LIFE is a JSON object of ``Life``'s fields. It prints its port and
ends when its standard input does. Who asks is told by the access key.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import cast

from bench.scale.cluster import Life
from bench.scale.refusal import Refusal
from bench.scale.service import Service

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_OPERATION = re.compile(rb"\r\nx-amz-target: *\w+\.(\w+)", re.IGNORECASE)
_CLIENT = re.compile(rb"\r\nauthorization:.*?credential=([^/]+)/", re.IGNORECASE)

_SEED = 7

ANSWER_SECONDS = {"RunTask": 0.3, "StopTask": 0.1, "DescribeTasks": 0.1, "ListTasks": 0.05}
"""How long an answer takes, at least; an assumption, since AWS promises nothing. SQS's are below."""

_SQS_SECONDS = 0.01


class Connection(asyncio.Protocol):
    """One connection: AWS's clients send the next request when they have the answer to the last."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._data = b""
        self._transport: asyncio.Transport | None = None
        self._answers: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        for answer in self._answers:
            answer.cancel()

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or len(body) < (int(length[1]) if length else 0):
            return
        self._data = b""
        answer = asyncio.get_running_loop().create_task(self._answer(head, body))
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)

    async def _answer(self, head: bytes, body: bytes) -> None:
        operation, client = _text(_OPERATION, head), _text(_CLIENT, head)
        extra = ""
        try:
            status, answer = "200 OK", await self._service.answer(client, operation, json.loads(body or b"{}"))
        except Refusal as refusal:
            status = "400 Bad Request"
            answer = json.dumps({"__type": refusal.code, "message": str(refusal), **refusal.fields}).encode()
            extra = f"x-amzn-query-error: {refusal.query_code};Sender\r\n" if refusal.query_code else ""
        await asyncio.sleep(ANSWER_SECONDS.get(operation, _SQS_SECONDS if client else 0))
        if self._transport is not None:
            kind = "content-type: application/x-amz-json-1.1\r\n"
            self._transport.write(f"HTTP/1.1 {status}\r\n{kind}{extra}content-length: {len(answer)}\r\n\r\n".encode())
            self._transport.write(answer)


def _text(pattern: re.Pattern[bytes], head: bytes) -> str:
    found = pattern.search(head)
    return found[1].decode() if found else ""


async def main(life: Life) -> None:
    service = Service(life, _SEED)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Life(**json.loads(sys.argv[1]))))
