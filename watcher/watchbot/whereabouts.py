"""Where this watcher runs: an ECS task, or a host."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import urllib.request
from collections.abc import Mapping

_TIMEOUT_SECONDS = 2.0


class Whereabouts:
    """Asks ECS once, when somebody wants to know."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._metadata_uri = environment.get("ECS_CONTAINER_METADATA_URI_V4")
        self._task: str | None = None

    @property
    def host(self) -> str:
        """The name of this host."""
        return socket.gethostname()

    async def task(self) -> str | None:
        """Give the ARN of this task; None outside ECS, or when ECS does not say.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html
        """
        if self._task is None and self._metadata_uri is not None:
            self._task = await asyncio.to_thread(_ask, f"{self._metadata_uri}/task")
        return self._task


def _ask(url: str) -> str | None:
    # No proxy of anyone lies between a container and its agent.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_TIMEOUT_SECONDS) as answer:
            arn = json.loads(answer.read())["TaskARN"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    return arn if isinstance(arn, str) else None
