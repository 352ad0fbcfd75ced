from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.signed import GITHUB, HEADER, SECRET, SimulatedSecrets, attributes, sign
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import OnInvalid, Outcome
from watchbot.job import Job
from watchbot.notice import JobFinished, JobStarted, Paused, Resumed, StartFailed
from watchbot.result import Result
from watchbot.signature import SignatureRule
from watchbot.signature_check import SignatureCheck
from watchbot.signing_secret import SigningSecret


class _Hooked:
    """A watcher behind a webhook."""

    def __init__(
        self,
        *,
        on_invalid: OnInvalid = OnInvalid.DROP,
        dead_letter_queue: bool = True,
        fifo: bool = False,
        work: Callable[[Job], Work] = lambda job: Work(seconds=0.5),
        workers: int = 1,
        outlives_watcher: bool = False,
        max_receive_count: int = 10,
    ) -> None:
        self.sqs = SimulatedSqs(fifo=fifo)
        self.secrets = SimulatedSecrets(SECRET)
        self.runner = SimulatedRunner(work, workers=workers, outlives_watcher=outlives_watcher)
        secret = SigningSecret(self.secrets, asyncio.get_running_loop().time)
        check = SignatureCheck(
            self.runner, SignatureRule(GITHUB), secret, on_invalid, can_dead_letter=dead_letter_queue
        )
        self.watch = Watch(self.sqs, check, dead_letter_queue=dead_letter_queue, max_receive_count=max_receive_count)

    def call(self, body: str, signature: str | None, group: str | None = None) -> None:
        """Send what the webhook makes of a call now."""
        headers = {} if signature is None else {HEADER: signature}
        now = asyncio.get_running_loop().time()
        self.sqs.put(body, group=group, attributes=attributes(headers, now))

    @property
    def results(self) -> list[Result]:
        return [notice.result for notice in self.watch.notices if isinstance(notice, JobFinished)]


def _run(scenario: Callable[[], Awaitable[_Hooked]]) -> _Hooked:
    async def main() -> _Hooked:
        return await scenario()

    return run_virtual(main())


def test_only_what_is_signed_reaches_a_worker_the_rest_is_dropped() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked()
        hooked.call("genuine", sign("genuine"))
        hooked.call("forged", sign("something else"))
        hooked.call("unsigned", None)
        await hooked.watch.after(20)
        await hooked.watch.stopped()
        return hooked

    hooked = _run(scenario)
    assert hooked.runner.texts == ["genuine"]
    assert len(hooked.sqs.deleted) == 3
    assert [(result.outcome, result.forged) for result in hooked.results] == [
        (Outcome.SUCCEEDED, False),
        (Outcome.REJECTED, True),
        (Outcome.REJECTED, True),
    ]
    assert not any(result.failed for result in hooked.results)
    assert len(hooked.watch.told(JobStarted)) == 1


def test_what_did_not_come_through_the_webhook_needs_no_signature() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked()
        hooked.sqs.put("sent by one who may")
        await hooked.watch.after(5)
        await hooked.watch.stopped()
        return hooked

    hooked = _run(scenario)
    assert hooked.runner.texts == ["sent by one who may"]
    assert hooked.secrets.fetched_at == []


@pytest.mark.parametrize(("dead_letter_queue", "letters"), [(True, 1), (False, 0)])
def test_what_is_forged_can_be_kept_with_its_reason(dead_letter_queue: bool, letters: int) -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked(on_invalid=OnInvalid.DEAD_LETTER, dead_letter_queue=dead_letter_queue)
        hooked.call("forged", sign("something else"))
        await hooked.watch.after(20)
        await hooked.watch.stopped()
        return hooked

    hooked = _run(scenario)
    assert len(hooked.sqs.deleted) == 1
    assert len(hooked.sqs.dead_letters) == letters
    for letter in hooked.sqs.dead_letters:
        reason = letter["MessageAttributes"]["watchbot.Reason"]["StringValue"]
        assert reason == "its signature was not made with the secret"


def test_a_message_signed_with_a_secret_stored_a_moment_ago_is_genuine() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked()
        hooked.call("old", sign("old"))
        await hooked.watch.after(2)
        hooked.secrets.stored = (b"new", SECRET)
        hooked.call("new", sign("new", b"new"))
        hooked.call("old again", sign("old again"))
        await hooked.watch.after(20)
        await hooked.watch.stopped()
        return hooked

    assert sorted(_run(scenario).runner.texts) == ["new", "old", "old again"]


def test_while_the_secret_cannot_be_had_messages_keep_their_place_and_receiving_pauses() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked(workers=10)
        hooked.secrets.problem = "the secret arn: throttled"
        for number in range(5):
            hooked.call(f"{number}", sign(f"{number}"))
        hooked.call("forged", sign("something else"))
        await hooked.watch.after(600)
        assert len(hooked.watch.told(Paused)) == 1
        assert hooked.runner.ran == []
        assert len(hooked.sqs.stored) == 6
        hooked.secrets.problem = None
        await hooked.watch.after(900)
        await hooked.watch.stopped()
        return hooked

    hooked = _run(scenario)
    assert sorted(hooked.runner.texts) == ["0", "1", "2", "3", "4"]
    assert len(hooked.watch.told(Resumed)) == 1
    failed = hooked.watch.told(StartFailed)
    assert {notice.reason for notice in failed if isinstance(notice, StartFailed)} == {
        "its signature cannot be checked: the secret arn: throttled"
    }
    # Under one lease: not a single receive of theirs was lost.
    assert {len(stored.receives) for stored in hooked.sqs.ever.values()} == {1}
    assert not hooked.sqs.dead_letters


def test_a_forged_message_does_not_hold_up_its_group() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked(fifo=True)
        hooked.call("a", sign("a"), group="webhook")
        hooked.call("b", sign("something else"), group="webhook")
        hooked.call("c", sign("c"), group="webhook")
        await hooked.watch.after(20)
        await hooked.watch.stopped()
        return hooked

    assert _run(scenario).runner.texts == ["a", "c"]


def test_drain_hands_back_at_once_what_is_still_being_checked() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked()
        hooked.secrets.takes_seconds = 3600
        hooked.call("x", sign("x"))
        await hooked.watch.after(1)
        began = asyncio.get_running_loop().time()
        assert await hooked.watch.stopped() == 0
        assert asyncio.get_running_loop().time() - began < 21  # the open poll
        return hooked

    hooked = _run(scenario)
    assert hooked.runner.ran == []
    assert [stored.returned for stored in hooked.sqs.stored.values()] == [[0]]


def test_a_lease_lost_during_the_check_starts_no_worker() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked()
        hooked.secrets.takes_seconds = 30
        hooked.call("x", sign("x"))
        await hooked.watch.after(1)
        check = hooked.watch.watcher._runner
        check.abandon("m1")
        await hooked.watch.after(60)
        await hooked.watch.stopped()
        return hooked

    hooked = _run(scenario)
    assert [result.outcome for result in hooked.results][:1] == [Outcome.INTERRUPTED]


def test_what_has_passed_once_passes_when_its_start_is_tried_again() -> None:
    attempts = iter([Work(does_not_start="no capacity")] * 8)

    async def scenario() -> _Hooked:
        hooked = _Hooked(work=lambda job: next(attempts, Work(seconds=1)))
        hooked.call("x", sign("x"))
        await hooked.watch.after(10)
        hooked.secrets.stored = (b"rotated", b"twice")
        await hooked.watch.after(3000)
        await hooked.watch.stopped()
        return hooked

    assert _run(scenario).runner.texts == ["x"]


def test_a_message_that_comes_back_after_two_rotations_is_worked_on_again() -> None:
    attempts = iter([Work(exit_code=1)])

    async def scenario() -> _Hooked:
        hooked = _Hooked(work=lambda job: next(attempts, Work()))
        hooked.call("x", sign("x"))
        await hooked.watch.after(2)
        hooked.secrets.stored = (b"rotated", b"twice")
        hooked.secrets.changed_at = asyncio.get_running_loop().time()
        await hooked.watch.after(1000)
        await hooked.watch.stopped()
        return hooked

    hooked = _run(scenario)
    assert hooked.runner.texts == ["x", "x"]
    assert hooked.sqs.dead_letters == []


def test_a_task_that_runs_already_is_followed_without_a_check() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked(outlives_watcher=True)
        hooked.secrets.problem = "gone"
        hooked.call("x", sign("x"))
        (stored,) = hooked.sqs.stored.values()
        stored.receives.append(0)  # by a watcher that is gone
        hooked.runner.found["m1"] = "running"
        await hooked.watch.after(5)
        await hooked.watch.stopped()
        return hooked

    assert _run(scenario).runner.texts == ["x"]


def _kind(letter: Mapping[str, Any]) -> object:
    return letter["MessageAttributes"]["watchbot.WebhookTime"]["DataType"]


@pytest.mark.parametrize("exit_code", [5, 1])
def test_a_letter_whose_signature_was_valid_says_so(exit_code: int) -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked(work=lambda job: Work(exit_code=exit_code), max_receive_count=1)
        hooked.call("x", sign("x"))
        await hooked.watch.after(20)
        await hooked.watch.stopped()
        return hooked

    (letter,) = _run(scenario).sqs.dead_letters
    assert _kind(letter) == "Number.verified"


def test_a_finished_task_that_is_found_was_verified_before_it_began() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked(outlives_watcher=True)
        hooked.secrets.problem = "gone"
        hooked.call("x", sign("x"))
        (stored,) = hooked.sqs.stored.values()
        stored.receives.append(0)  # by a watcher that is gone
        hooked.runner.found["m1"] = Result(Outcome.DEAD_LETTERED, reason="exit code 5", task="arn")
        await hooked.watch.after(5)
        await hooked.watch.stopped()
        return hooked

    (letter,) = _run(scenario).sqs.dead_letters
    assert _kind(letter) == "Number.verified"


def _returned(mark: Mapping[str, str], **more: str) -> Callable[[], Awaitable[_Hooked]]:
    """Put a message that no secret bears out, and that came in an hour before anything else, into the queue."""

    async def scenario() -> _Hooked:
        hooked = _Hooked(on_invalid=OnInvalid.DROP)
        await hooked.watch.after(3600)
        headers = attributes({HEADER: sign("another body"), **more}, 0)
        headers["watchbot.WebhookTime"] |= mark
        hooked.sqs.put("x", attributes=headers)
        await hooked.watch.after(30)
        await hooked.watch.stopped()
        return hooked

    return scenario


def test_a_letter_noted_as_verified_is_worked_on_whatever_its_body_and_the_secret() -> None:
    hooked = _run(_returned({"DataType": "Number.verified"}))
    assert hooked.runner.texts == ["x"]
    assert hooked.secrets.fetched_at == []


@pytest.mark.parametrize("kind", ["Number", "String", "Number.Verified", "Number.verified.x", "String.verified"])
def test_any_other_note_is_none(kind: str) -> None:
    hooked = _run(_returned({"DataType": kind}))
    assert hooked.runner.texts == []
    assert len(hooked.sqs.dead_letters) == 1


def test_a_message_that_was_sent_again_long_after_it_came_in_is_kept_without_a_note() -> None:
    (letter,) = _run(_returned({})).sqs.dead_letters
    assert _kind(letter) == "Number"
    reason = letter["MessageAttributes"]["watchbot.Reason"]["StringValue"]
    assert reason == "its signature was not made with the secret; it is kept because it was sent again after it came in"


def test_a_mended_letter_that_returns_within_seconds_is_kept() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked()
        letter = {"watchbot.MessageId": "5fea7756-0ea4-451a-a703-a558b933e274", "watchbot.Reason": "exit code 5"}
        hooked.sqs.put("mended", attributes=attributes({HEADER: sign("as it was"), **letter}, 0))
        await hooked.watch.after(20)
        await hooked.watch.stopped()
        return hooked

    (letter,) = _run(scenario).sqs.dead_letters
    assert _kind(letter) == "Number"
    assert (
        "it is kept because it was a dead letter before"
        in letter["MessageAttributes"]["watchbot.Reason"]["StringValue"]
    )


def test_an_invalid_message_is_kept_when_an_earlier_receive_may_have_accepted_it() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked()
        hooked.call("x", sign("something else"))
        (stored,) = hooked.sqs.stored.values()
        stored.receives.append(0)
        await hooked.watch.after(20)
        await hooked.watch.stopped()
        return hooked

    (letter,) = _run(scenario).sqs.dead_letters
    assert "it is kept because it was received before" in letter["MessageAttributes"]["watchbot.Reason"]["StringValue"]


def test_an_invalid_message_is_kept_when_the_secret_was_changed_since_it_came_in() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked()
        hooked.secrets.changed_at = 60
        for came_in_at in (0, 59, 70):
            headers = attributes({HEADER: sign("old", b"two rotations ago")}, came_in_at)
            hooked.sqs.put(f"{came_in_at}", attributes=headers)
            for stored in hooked.sqs.stored.values():
                stored.sent_at = came_in_at
        await hooked.watch.after(120)
        await hooked.watch.stopped()
        return hooked

    hooked = _run(scenario)
    assert [letter["MessageBody"] for letter in hooked.sqs.dead_letters] == ["0", "59"]
    assert all(_kind(letter) == "Number" for letter in hooked.sqs.dead_letters)
    assert len(hooked.sqs.deleted) == 3


def test_without_a_dead_letter_queue_what_may_have_been_accepted_is_returned() -> None:
    async def scenario() -> _Hooked:
        hooked = _Hooked(dead_letter_queue=False)
        hooked.call("x", sign("something else"))
        (stored,) = hooked.sqs.stored.values()
        stored.receives.append(0)
        await hooked.watch.after(20)
        await hooked.watch.stopped()
        return hooked

    hooked = _run(scenario)
    assert (len(hooked.sqs.stored), hooked.sqs.deleted, hooked.runner.texts) == (1, {}, [])
    assert not any(result.failed for result in hooked.results)
