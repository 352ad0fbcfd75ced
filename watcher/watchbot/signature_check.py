"""A runner around another one that lets no message of the webhook near a worker whose signature is not valid."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from watchbot.contract import OnInvalid, Outcome
from watchbot.job import Job
from watchbot.message import Message
from watchbot.result import Result
from watchbot.runner import Runner
from watchbot.signature import InvalidSignatureError, SignatureRule, is_from_webhook
from watchbot.signing_secret import SecretError, SigningSecret


class SignatureCheck:
    """Checks what came through the webhook; whoever may send to the topic or the queue signs nothing.

    While the secret cannot be had, a job did not start: it is tried again under its lease, and no message is lost. What
    has passed once is not checked again while its start is tried again, whatever the secret is by then.
    """

    def __init__(
        self,
        runner: Runner,
        rule: SignatureRule,
        secret: SigningSecret,
        on_invalid: OnInvalid,
        *,
        can_dead_letter: bool,
    ) -> None:
        self.outlives_watcher = runner.outlives_watcher
        self._runner = runner
        self._rule = rule
        self._secret = secret
        self._dead_letters = on_invalid is OnInvalid.DEAD_LETTER and can_dead_letter
        self._checking: dict[str, asyncio.Task[Result | None]] = {}
        self._passed: set[str] = set()
        self._draining = False

    @property
    def capacity(self) -> int:
        """The runner's own."""
        return self._runner.capacity

    async def run(self, job: Job, started: Callable[[], None], held: Callable[[], bool]) -> Result:
        """Run the job once its signature was found to be valid."""
        message_id = job.message.message_id
        if is_from_webhook(job.message) and message_id not in self._passed:
            refusal = await self._cancellable(job.message)
            if refusal is not None:
                return refusal
            self._passed.add(message_id)
        result = await self._runner.run(job, started, held)
        if result.outcome is not Outcome.DID_NOT_START:
            self._passed.discard(message_id)
        return result

    async def _cancellable(self, message: Message) -> Result | None:
        if self._draining:
            return _given_up()
        check = self._checking[message.message_id] = asyncio.ensure_future(self._check(message))
        try:
            await asyncio.wait([check])
        finally:
            check.cancel()
            del self._checking[message.message_id]
        return _given_up() if check.cancelled() else check.result()

    async def _check(self, message: Message) -> Result | None:
        """Give the result of a job that is not to run; None when it is."""
        try:
            claim = self._rule.claim(message)
            if self._rule.bears_out(claim, await self._secret.values()):
                return None
            if self._rule.bears_out(claim, await self._secret.values_after(claim.came_in_at)):
                return None
        except InvalidSignatureError as error:
            return self._invalid(str(error))
        except SecretError as error:
            return Result(Outcome.DID_NOT_START, reason=f"its signature cannot be checked: {error}")
        return self._invalid("its signature was not made with the secret")

    def _invalid(self, reason: str) -> Result:
        outcome = Outcome.DEAD_LETTERED if self._dead_letters else Outcome.REJECTED
        return Result(outcome, reason=reason, forged=True)

    def abandon(self, message_id: str) -> None:
        """Check no further, and stop what runs."""
        check = self._checking.get(message_id)
        if check is not None:
            check.cancel()
        self._runner.abandon(message_id)

    async def drain(self, deadline: float) -> None:
        """Give up what is being checked and drain the runner."""
        self._draining = True
        for check in self._checking.values():
            check.cancel()
        await self._runner.drain(deadline)

    async def recover(self, message: Message) -> Result | Literal["running"] | None:
        """Ask the runner; a worker that it finds has begun after a check, which is not repeated."""
        found = await self._runner.recover(message)
        if found == "running":
            self._passed.add(message.message_id)
        return found


def _given_up() -> Result:
    return Result(Outcome.INTERRUPTED, reason="given up before its signature was checked")
