"""What a watcher would have done with the outcome of a job, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchbot.contract import Outcome

_SETTLED = {
    "deleted": "delete the message",
    "dead_lettered": "move the message to the dead-letter queue",
}


def verdict(answer: Mapping[str, Any]) -> str:
    """Say how the job ended, how long it took, and what becomes of its message."""
    outcome, reason = answer["outcome"], answer["reason"]
    if outcome is None:
        return f"no worker runs for {reason}: a watcher would delete the message"
    if outcome == Outcome.DID_NOT_START:
        return f"the worker did not start: {reason}; a watcher would keep the message and try again to start it"
    because = "" if reason is None else f" ({reason})"
    lasted = f"{outcome.replace('_', ' ')}{because} after {answer['duration_seconds']:.1f} s"
    return f"{lasted}: a watcher would {_settled(answer)}{_too_long(answer)}"


def exit_code(answer: Mapping[str, Any]) -> int:
    """Give 0 for a job that succeeded, or a message that asks for none, and 1 for all others."""
    return 0 if answer["outcome"] in (None, Outcome.SUCCEEDED) else 1


def _settled(answer: Mapping[str, Any]) -> str:
    if answer["settlement"] == "returned":
        return f"return the message, to be received again after {answer['delay_seconds']} s"
    return _SETTLED[answer["settlement"]]


def _too_long(answer: Mapping[str, Any]) -> str:
    seconds = answer["timeout_seconds"]
    return "" if seconds is None else f", had it not stopped the worker at the job timeout of {seconds} s"
