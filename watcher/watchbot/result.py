"""What a runner says of a job it was given."""

from __future__ import annotations

import dataclasses
import enum
import signal
from collections.abc import Iterable, Mapping

from watchbot.contract import EXIT_CODES, ExitCode, Outcome


class StartFault(enum.Enum):
    """Where the cause of a failed start lies, as far as one failure shows."""

    SERVICE = enum.auto()
    """The service has it: no capacity, no image, no right. Any other message would fail, too."""

    LOCAL = enum.auto()
    """This container has it: a full disk, no descriptors, no processes. A new container may mend it."""

    MESSAGE = enum.auto()
    """The message has it: its payload cannot be read, or is too large. Any other message may well start."""

    EITHER = enum.auto()
    """The service or the message has it: S3 denies an object, as it would if the policy of the bucket were wrong."""


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a job and what is known of how it came about.

    ``delay_seconds`` overrides the back-off when the message is returned; ``duration_seconds`` is the worker's
    own run time; ``task`` is the ARN of the ECS task that the worker was; ``fault`` counts for one that did not start.
    A ``forged`` message is one of the webhook whose signature is not valid: no worker saw it. A ``verified`` one is of
    the webhook, and its signature was valid.
    """

    outcome: Outcome
    exit_code: int | None = None
    signal: str | None = None
    reason: str | None = None
    delay_seconds: int | None = None
    duration_seconds: float = 0
    forged: bool = False
    verified: bool = False
    task: str | None = None
    fault: StartFault = StartFault.SERVICE

    @property
    def failed(self) -> bool:
        """Whether the worker is to blame: what counts as an error in metrics, alarms and notifications.

        Never a forged message, or anyone who knows a webhook's address could raise alarms.
        """
        return self.outcome in FAILURES and not self.forged


FAILURES = frozenset({Outcome.REJECTED, Outcome.DEAD_LETTERED, Outcome.FAILED, Outcome.TIMED_OUT})
"""The outcomes that a worker is to blame for."""


def exit_outcomes(exit_codes: Iterable[tuple[str, int]]) -> Mapping[int, Outcome]:
    """Say what each exit code means, given the codes of those outcomes that have one; 0 always means succeeded."""
    return {ExitCode.SUCCEEDED: Outcome.SUCCEEDED} | {code: Outcome(name) for name, code in exit_codes}


USUAL_OUTCOMES = exit_outcomes(EXIT_CODES)


def result_of_exit(
    exit_code: int,
    duration_seconds: float,
    *,
    can_dead_letter: bool,
    outcomes: Mapping[int, Outcome] = USUAL_OUTCOMES,
) -> Result:
    """Read a worker's exit code by what ``outcomes`` says of it; a negative one is the signal that killed it.

    Without a dead-letter queue there is nowhere to move a message to: the code of dead-lettered then means failed.
    """
    if exit_code < 0:
        name = _signal_name(-exit_code)
        return Result(Outcome.FAILED, None, name, f"killed by {name}", duration_seconds=duration_seconds)
    outcome = outcomes.get(exit_code, Outcome.FAILED)
    if outcome is Outcome.DEAD_LETTERED and not can_dead_letter:
        outcome = Outcome.FAILED
    reason = None if outcome in (Outcome.SUCCEEDED, Outcome.NO_OP) else f"exit code {exit_code}"
    return Result(outcome, exit_code, reason=reason, duration_seconds=duration_seconds)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
