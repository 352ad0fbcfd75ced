"""What a worker may say beyond its exit code, in the file that ``ResultFile`` names."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

from watchbot.contract import Outcome
from watchbot.result import Result

_READ_BYTES = 65_536
_LONGEST_DELAY_SECONDS = 43_200
_ACTIONS = ("retry", "delete", "dead_letter")


class ResultFileError(ValueError):
    """The file is there and says nothing that can be understood."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """``{"action": "retry"|"delete"|"dead_letter", "delay_seconds": 90, "reason": "…"}``."""

    action: str
    delay_seconds: int | None = None
    reason: str | None = None


def refine(result: Result, path: str, *, can_dead_letter: bool) -> Result:
    """Let the file refine success and no_op; it never hides a failure, and what makes no sense is said and ignored."""
    if result.exit_code is None or result.outcome not in (Outcome.SUCCEEDED, Outcome.NO_OP):
        return result
    try:
        answer = _read(path)
    except ResultFileError as error:
        return dataclasses.replace(result, reason=f"the result file is ignored: {error}")
    if answer is None:
        return result
    match answer.action:
        case "delete":
            outcome = Outcome.SUCCEEDED
        case "dead_letter" if can_dead_letter:
            outcome = Outcome.DEAD_LETTERED
        case "dead_letter":
            outcome = Outcome.FAILED
        case _:
            outcome = Outcome.NO_OP
    return dataclasses.replace(result, outcome=outcome, reason=answer.reason, delay_seconds=answer.delay_seconds)


def _read(path: str) -> Answer | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResultFileError(f"it cannot be read: {error.strerror}") from error
    try:
        data = os.read(descriptor, _READ_BYTES + 1)
    except OSError as error:
        raise ResultFileError(f"it cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)
    if len(data) > _READ_BYTES:
        raise ResultFileError(f"it has more than {_READ_BYTES} bytes")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ResultFileError("it is no JSON") from error
    return _answer(value)


def _answer(value: Any) -> Answer:
    if not isinstance(value, dict) or value.get("action") not in _ACTIONS:
        raise ResultFileError(f"action must be one of {', '.join(_ACTIONS)}")
    delay, reason = value.get("delay_seconds"), value.get("reason")
    is_number = isinstance(delay, int | float) and not isinstance(delay, bool)
    if delay is not None and not (is_number and 0 <= delay <= _LONGEST_DELAY_SECONDS):
        raise ResultFileError(f"delay_seconds must be a number from 0 to {_LONGEST_DELAY_SECONDS}, got {delay!r}")
    if reason is not None and not isinstance(reason, str):
        raise ResultFileError(f"reason must be text, got {reason!r}")
    return Answer(value["action"], None if delay is None else int(delay), reason)
