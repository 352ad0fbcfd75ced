"""A watcher's connection to the world, cut at a chosen step as SIGKILL would: before a call takes effect, or after."""

from __future__ import annotations

import asyncio
from typing import Any


class Lifeline:
    """Passes calls on until its ``steps`` are used up; from then on nothing gets out and nothing comes back."""

    def __init__(self, steps: int | None) -> None:
        self.cut = asyncio.Event()
        self._left = steps

    def to(self, world: Any) -> Any:
        """Give a connection to one service."""
        return _Connection(world, self)

    def step(self) -> bool:
        """Use up one step; False when the connection is dead."""
        if self._left is not None:
            if self._left == 0:
                self.cut.set()
            self._left = max(0, self._left - 1)
        return not self.cut.is_set()


class _Connection:
    def __init__(self, world: Any, lifeline: Lifeline) -> None:
        self._world = world
        self._lifeline = lifeline

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._world, name)
        if not asyncio.iscoroutinefunction(value):
            return value

        async def call(*args: Any, **kwargs: Any) -> Any:
            if not self._lifeline.step():
                await asyncio.Event().wait()
            answer = await value(*args, **kwargs)
            if not self._lifeline.step():
                await asyncio.Event().wait()
            return answer

        return call
