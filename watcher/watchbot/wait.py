"""Waiting for a time to pass, unless something comes first."""

from __future__ import annotations

import asyncio


async def passed(seconds: float, unless: asyncio.Event) -> bool:
    """Wait; whether the time has passed without the event."""
    try:
        async with asyncio.timeout(seconds):
            await unless.wait()
    except TimeoutError:
        return True
    return False
