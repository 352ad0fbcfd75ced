"""What a runner says of a job it was given."""

from __future__ import annotations

import dataclasses
import signal

from watchbot.contract import ExitCode, Outcome


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a job and what is known of how it came about.

    ``delay_seconds`` overrides the back-off when the message is returned; ``duration_seconds`` is the worker's
    own run time.
    """

    outcome: Outcome
    exit_code: int | None = None
    signal: str | None = None
    reason: str | None = None
    delay_seconds: int | None = None
    duration_seconds: float = 0

    @property
    def failed(self) -> bool:
        """Whether the worker is to blame: what counts as an error in metrics, alarms and notifications."""
        return self.outcome in _FAILURES


_FAILURES = {Outcome.REJECTED, Outcome.DEAD_LETTERED, Outcome.FAILED, Outcome.TIMED_OUT}

_OUTCOMES: dict[int, Outcome] = {
    ExitCode.SUCCEEDED: Outcome.SUCCEEDED,
    ExitCode.REJECTED: Outcome.REJECTED,
    ExitCode.NO_OP: Outcome.NO_OP,
    ExitCode.DEAD_LETTERED: Outcome.DEAD_LETTERED,
}


def result_of_exit(exit_code: int, duration_seconds: float, *, can_dead_letter: bool) -> Result:
    """Read a worker's exit code; a negative one is the signal that killed it.

    Without a dead-letter queue there is nowhere to move a message to: exit code 5 then means failed.
    """
    if exit_code < 0:
        name = _signal_name(-exit_code)
        return Result(Outcome.FAILED, None, name, f"killed by {name}", duration_seconds=duration_seconds)
    outcome = _OUTCOMES.get(exit_code, Outcome.FAILED)
    if outcome is Outcome.DEAD_LETTERED and not can_dead_letter:
        outcome = Outcome.FAILED
    reason = None if outcome in (Outcome.SUCCEEDED, Outcome.NO_OP) else f"exit code {exit_code}"
    return Result(outcome, exit_code, reason=reason, duration_seconds=duration_seconds)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
