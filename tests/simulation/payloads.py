"""An S3 of objects in memory, with URLs that say which."""

from __future__ import annotations

from pathlib import Path

from watchbot.payload import Pointer
from watchbot.payload_store import PayloadGoneError


class SimulatedPayloads:
    """Objects by where they are."""

    def __init__(self) -> None:
        self.objects: dict[Pointer, bytes] = {}

    async def fetch(self, pointer: Pointer, file: str) -> None:
        Path(file).write_bytes(self._get(pointer))  # noqa: ASYNC240 - a test's

    async def text(self, pointer: Pointer, limit: int) -> str | None:
        found = self._get(pointer)
        return found.decode() if len(found) <= limit else None

    async def put(self, pointer: Pointer, text: bytes) -> None:
        self.objects[pointer] = text

    async def sign(self, pointer: Pointer) -> str:
        return self.url(pointer)

    async def delete(self, pointer: Pointer) -> None:
        self.objects.pop(pointer, None)

    def url(self, pointer: Pointer) -> str:
        """Give a URL as long as those with a session token are."""
        return f"https://{pointer.bucket}.s3/{pointer.key}?token={'t' * 1_500}"

    def read(self, url: str) -> bytes:
        """Read the object behind a URL."""
        return next(text for pointer, text in self.objects.items() if self.url(pointer) == url)

    def _get(self, pointer: Pointer) -> bytes:
        if pointer not in self.objects:
            raise PayloadGoneError(f"its payload {pointer} does not exist")
        return self.objects[pointer]
