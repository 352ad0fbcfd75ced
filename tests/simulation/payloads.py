"""An S3 of objects in memory, with URLs that say which; its calls have their effect first and are answered later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from watchbot.payload import Pointer
from watchbot.payload_store import PayloadGoneError

ANSWER_SECONDS = 0.02
"""From the effect of a call to its answer."""


class SimulatedPayloads:
    """Objects by where they are; ``answer_seconds`` takes the name of a call. Signing asks nobody."""

    def __init__(self) -> None:
        self.objects: dict[Pointer, bytes] = {}
        self.answer_seconds: Callable[[str], float] = lambda name: ANSWER_SECONDS
        self.renewed: list[Pointer] = []

    async def fetch(self, pointer: Pointer, file: str, limit: int) -> None:
        found = self.objects.get(pointer)
        await self._answer("fetch")
        Path(file).write_bytes(_existing(pointer, found))  # noqa: ASYNC240 - a test's

    async def text(self, pointer: Pointer, limit: int) -> str | None:
        found = self.objects.get(pointer)
        await self._answer("text")
        text = _existing(pointer, found)
        return text.decode() if len(text) <= limit else None

    async def put(self, pointer: Pointer, text: bytes) -> None:
        self.objects[pointer] = text
        await self._answer("put")

    async def renew(self, pointer: Pointer) -> None:
        found = self.objects.get(pointer)
        await self._answer("renew")
        _existing(pointer, found)
        self.renewed.append(pointer)

    async def sign(self, pointer: Pointer) -> str:
        return self.url(pointer)

    async def delete(self, pointer: Pointer) -> None:
        self.objects.pop(pointer, None)
        await self._answer("delete")

    def url(self, pointer: Pointer) -> str:
        """Give a URL as long as those with a session token are."""
        return f"https://{pointer.bucket}.s3/{pointer.key}?token={'t' * 1_500}"

    def read(self, url: str) -> bytes:
        """Read the object behind a URL."""
        return next(text for pointer, text in self.objects.items() if self.url(pointer) == url)

    async def _answer(self, name: str) -> None:
        await asyncio.sleep(self.answer_seconds(name))


def _existing(pointer: Pointer, found: bytes | None) -> bytes:
    if found is None:
        raise PayloadGoneError(f"its payload {pointer} does not exist")
    return found
