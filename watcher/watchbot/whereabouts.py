"""Where this watcher runs: an ECS task, or a host."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping

from watchbot.call_threads import CallThreads, NoThreadError
from watchbot.container_endpoint import EndpointError, ask
from watchbot.deadline import CallTimeoutError

_TIMEOUT_SECONDS = 2.0


class Whereabouts:
    """Asks ECS once, when somebody wants to know."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._metadata_uri = environment.get("ECS_CONTAINER_METADATA_URI_V4")
        self._task: str | None = None
        self._thread = CallThreads(1, "metadata", _TIMEOUT_SECONDS)

    @property
    def host(self) -> str:
        """The name of this host."""
        return socket.gethostname()

    async def task(self) -> str | None:
        """Give the ARN of this task; None outside ECS, or when ECS does not say.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html
        """
        if self._task is None and self._metadata_uri is not None:
            self._task = await self._ask(f"{self._metadata_uri}/task")
        return self._task

    async def _ask(self, url: str) -> str | None:
        try:
            arn = json.loads(await self._thread.make(lambda: ask(url, _TIMEOUT_SECONDS)))["TaskARN"]
        except (EndpointError, CallTimeoutError, NoThreadError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return arn if isinstance(arn, str) else None
