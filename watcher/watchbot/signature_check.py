"""A runner around another one that lets no message of the webhook near a worker whose signature is not valid."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Literal

from watchbot.contract import OnInvalid, Outcome
from watchbot.dead_letter import is_returned_letter
from watchbot.job import Job
from watchbot.message import Message
from watchbot.result import Result
from watchbot.runner import Runner
from watchbot.signature import InvalidSignatureError, SignatureRule, came_in_at, is_from_webhook, is_verified
from watchbot.signing_secret import SecretError, SigningSecret

_PASSED = 5000
"""Messages that have passed whose ids are kept: those that come back pass again, whatever the secret is by then."""

_INGRESS_SECONDS = 30.0
"""The longest that a request takes from API Gateway into the queue, their clocks' difference included.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""


class SignatureCheck:
    """Checks what came through the webhook; whoever may send to the topic or the queue signs nothing.

    While the secret cannot be had, a job did not start: it is tried again under its lease, and no message is lost.

    A message is checked once. What has passed is marked as verified when it is dead-lettered, and a letter so marked
    passes after any rotation and any change of its body. ``on_invalid`` is for messages that no watcher can have
    accepted: one that may have been is never deleted for its signature, but dead-lettered with the reason, without the
    mark. Without a dead-letter queue it is returned.
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
        self._can_dead_letter = can_dead_letter
        self._dead_letters = on_invalid is OnInvalid.DEAD_LETTER and can_dead_letter
        self._checking: dict[str, asyncio.Task[Result | None]] = {}
        self._passed: dict[str, None] = {}
        self._draining = False

    @property
    def capacity(self) -> int:
        """The runner's own."""
        return self._runner.capacity

    async def run(self, job: Job, started: Callable[[], None], held: Callable[[], bool]) -> Result:
        """Run the job once its signature was found to be valid."""
        message = job.message
        if not is_from_webhook(message):
            return await self._runner.run(job, started, held)
        if message.message_id not in self._passed and not is_verified(message):
            refusal = await self._cancellable(message)
            if refusal is not None:
                return refusal
        self._pass(message.message_id)
        return dataclasses.replace(await self._runner.run(job, started, held), verified=True)

    def _pass(self, message_id: str) -> None:
        self._passed[message_id] = None
        if len(self._passed) > _PASSED:
            del self._passed[next(iter(self._passed))]

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
            return self._invalid(str(error), _accepted_before(message))
        except SecretError as error:
            return Result(Outcome.DID_NOT_START, reason=f"its signature cannot be checked: {error}")
        doubt = _accepted_before(message)
        if doubt is None and self._secret.was_changed_after(claim.came_in_at):
            doubt = "it came in before the secret was last changed"
        return self._invalid("its signature was not made with the secret", doubt)

    def _invalid(self, reason: str, doubt: str | None) -> Result:
        """Make the result; with a ``doubt`` the message may have been accepted before, and must not be deleted."""
        if doubt is not None:
            outcome = Outcome.DEAD_LETTERED if self._can_dead_letter else Outcome.FAILED
            return Result(outcome, reason=f"{reason}; it is kept because {doubt}", forged=True)
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
        if found is None or not is_from_webhook(message):
            return found
        if found == "running":
            self._pass(message.message_id)
            return found
        return dataclasses.replace(found, verified=found.task is not None)


def _accepted_before(message: Message) -> str | None:
    """Return why an earlier receive of the message, or of the letter that it was, may have been worked on.

    SQS marks nothing when it moves a message by itself: such a letter, returned, is one that was sent to the queue
    later than the webhook took the request.
    """
    if message.receive_count > 1:
        return "it was received before"
    if is_returned_letter(message):
        return "it was a dead letter before"
    try:
        late_seconds = (message.sent_at or 0) - came_in_at(message)
    except InvalidSignatureError:
        return None
    return "it was sent again after it came in" if late_seconds > _INGRESS_SECONDS else None


def _given_up() -> Result:
    return Result(Outcome.INTERRUPTED, reason="given up before its signature was checked")
