"""What watchbot run says at its end."""

from __future__ import annotations

from typing import Any

import pytest

from watchbot_cli.running.verdict import exit_code, verdict


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (
            {"outcome": "no_op", "settlement": "returned", "delay_seconds": 2},
            1,
            "no op after 1.0 s: a watcher would return the message, to be received again after 2 s",
        ),
        (
            {"outcome": "did_not_start", "reason": "no x"},
            1,
            "the worker did not start: no x; a watcher would keep the message and try again to start it",
        ),
        (
            {"outcome": None, "reason": "a test event of S3", "settlement": "deleted"},
            0,
            "no worker runs for a test event of S3: a watcher would delete the message",
        ),
    ],
)
def test_every_outcome_is_a_sentence(answer: dict[str, Any], code: int, says: str) -> None:
    whole = {"reason": None, "duration_seconds": 1.0, "timeout_seconds": None, **answer}
    assert (exit_code(whole), verdict(whole)) == (code, says)
