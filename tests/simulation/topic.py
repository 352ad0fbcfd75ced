"""A topic that remembers what it was told when, and fails when told to; and the logs of ECS tasks.

A call has its effect first and is answered later, as over a network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchbot.sns import MESSAGE_LIMIT, SUBJECT_LIMIT, Notification, PublishError

ANSWER_SECONDS = 0.02
"""From the effect of a call to its answer."""


class SimulatedTopic:
    """SNS by its documented limits; ``fault`` gives the error of a call, or None; ``seconds`` is a call's way there."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, Notification]] = []
        self.calls: list[float] = []
        self.fault: Callable[[], PublishError | None] = lambda: None
        self.seconds = 0.0
        self.answer_seconds = ANSWER_SECONDS

    async def publish(self, notification: Notification) -> None:
        now = asyncio.get_running_loop().time()
        self.calls.append(now)
        await asyncio.sleep(self.seconds)
        assert 1 <= len(notification.subject) <= SUBJECT_LIMIT
        assert notification.subject.isascii()
        assert notification.subject.isprintable()
        assert 1 <= len(notification.text.encode()) <= MESSAGE_LIMIT
        error = self.fault()
        if error is None:
            self.sent.append((now, notification))
        await asyncio.sleep(self.answer_seconds)
        if error is not None:
            raise error

    @property
    def texts(self) -> list[str]:
        return [notification.text for _, notification in self.sent]


class SimulatedStreams:
    """Gives at each look the next of these answers, and from then on the last."""

    def __init__(self, *answers: list[str] | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[float, str]] = []

    async def last(self, stream: str, limit: int) -> list[str]:
        self.asked.append((asyncio.get_running_loop().time(), stream))
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        await asyncio.sleep(ANSWER_SECONDS)
        if isinstance(answer, Exception):
            raise answer
        return answer[-limit:]
