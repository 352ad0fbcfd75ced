"""The observer that keeps ECS from ending this task while jobs run in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Protocol

from watchbot.call_threads import CallThreads, NoThreadError
from watchbot.container_endpoint import EndpointError, ask
from watchbot.deadline import CallTimeoutError
from watchbot.notice import Busy, Idle, Notice

_RENEW_SECONDS = 300.0
_RELEASE_SECONDS = 10.0
_LOOK_SECONDS = 1.0
_TIMEOUT_SECONDS = 10.0
_LONGEST_MINUTES = 2880
_SPARE_SECONDS = 600
_BLOCKED = "DEPLOYMENT_BLOCKED"


class ProtectionError(Exception):
    """ECS did not do as it was asked; ``blocked`` when the service wants fewer tasks than are protected."""

    def __init__(self, problem: str, *, blocked: bool = False) -> None:
        self.blocked = blocked
        super().__init__(problem)


class Agent(Protocol):
    """Switches the protection of this task from scale-in and deployments."""

    async def protect(self, minutes: int | None) -> None:
        """Protect for so many minutes, or no longer for None; raises :class:`ProtectionError`."""


class EcsAgent:
    """The endpoint that the ECS agent offers in every container.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
    """

    def __init__(self, agent_uri: str) -> None:
        self._url = f"{agent_uri}/task-protection/v1/state"
        self._thread = CallThreads(1, "agent", _TIMEOUT_SECONDS)

    async def protect(self, minutes: int | None) -> None:
        """Ask the agent."""
        wish: dict[str, Any] = {"ProtectionEnabled": minutes is not None}
        if minutes is not None:
            wish["ExpiresInMinutes"] = minutes
        body = json.dumps(wish).encode()
        try:
            answer = await self._thread.make(lambda: ask(self._url, _TIMEOUT_SECONDS, method="PUT", body=body))
        except (EndpointError, CallTimeoutError, NoThreadError) as error:
            raise ProtectionError(f"the ECS agent cannot be reached: {error}") from error
        _check(answer)


def _check(body: bytes) -> None:
    try:
        answer = json.loads(body)
        problem = answer.get("failure") or answer.get("error")
    except (ValueError, AttributeError, RecursionError):
        raise ProtectionError(f"the ECS agent answered {body[:200]!r}") from None
    if problem and not isinstance(problem, dict):
        raise ProtectionError(str(problem))
    if problem:
        reason = str(problem.get("Reason") or problem.get("Code") or problem)
        detail = str(problem.get("Detail") or problem.get("Message") or "")
        raise ProtectionError(f"{reason} {detail}".strip(), blocked=_BLOCKED in reason)


class Protection:
    """Protects the task from when a job begins until ten seconds after the last has ended.

    It is taken for as long as the jobs may last, and set again every five minutes, which also tells when the service
    wants fewer tasks: ECS then refuses with DEPLOYMENT_BLOCKED. The protection already held stays, under which the
    running jobs may finish; ``blocked`` is told, so that nothing more is received. Any other failure changes nothing.
    """

    def __init__(
        self,
        agent: Agent,
        job_timeout_seconds: float,
        *,
        blocked: Callable[[str], None],
        failed: Callable[[str], None],
    ) -> None:
        self._agent = agent
        self._minutes = min(_LONGEST_MINUTES, -(-int(job_timeout_seconds + _SPARE_SECONDS) // 60))
        self._blocked = blocked
        self._failed = failed
        self._begun = asyncio.Event()
        self._idle_since: float | None = 0.0

    def __call__(self, notice: Notice) -> None:
        """Hear when jobs begin and end."""
        match notice:
            case Busy():
                self._idle_since = None
                self._begun.set()
            case Idle():
                self._idle_since = asyncio.get_running_loop().time()
            case _:
                pass

    async def run(self) -> None:
        """Take, renew and release, until cancelled."""
        now = asyncio.get_running_loop().time
        while True:
            await self._begun.wait()
            asked_at = now()
            await self._ask(self._minutes)
            while self._idle_since is None or now() - self._idle_since < _RELEASE_SECONDS:
                await asyncio.sleep(_LOOK_SECONDS)
                if now() - asked_at >= _RENEW_SECONDS:
                    asked_at = now()
                    await self._ask(self._minutes)
            self._begun.clear()
            await self._ask(None)

    async def _ask(self, minutes: int | None) -> None:
        try:
            await self._agent.protect(minutes)
        except ProtectionError as error:
            if error.blocked and minutes is not None:
                self._blocked(str(error))
            else:
                self._failed(str(error))
        except Exception as error:  # noqa: BLE001 - a task whose protection has ended for good may be ended with its jobs
            self._failed(f"the watcher failed: {error!r}")
