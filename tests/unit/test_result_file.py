from __future__ import annotations

from pathlib import Path

import pytest

from watchbot.contract import Outcome
from watchbot.result import Result, exit_outcomes, result_of_exit
from watchbot.result_file import refine


def _refined(tmp_path: Path, content: str | None, exit_code: int = 0, *, can_dead_letter: bool = True) -> Result:
    file = tmp_path / "result.json"
    if content is not None:
        file.write_text(content)
    result = result_of_exit(exit_code, 1, can_dead_letter=can_dead_letter)
    return refine(result, str(file), can_dead_letter=can_dead_letter)


@pytest.mark.parametrize(
    ("content", "exit_code", "outcome", "delay_seconds", "reason"),
    [
        (None, 0, Outcome.SUCCEEDED, None, None),
        ('{"action": "retry", "delay_seconds": 90, "reason": "later"}', 0, Outcome.NO_OP, 90, "later"),
        ('{"action": "retry", "delay_seconds": 0}', 4, Outcome.NO_OP, 0, None),
        ('{"action": "delete"}', 4, Outcome.SUCCEEDED, None, None),
        ('{"action": "dead_letter", "reason": "bad row"}', 0, Outcome.DEAD_LETTERED, None, "bad row"),
        ('{"action": "delete"}', 1, Outcome.FAILED, None, "exit code 1"),
        ('{"action": "delete"}', 5, Outcome.DEAD_LETTERED, None, "exit code 5"),
        ('{"action": "retry"}', 3, Outcome.REJECTED, None, "exit code 3"),
    ],
)
def test_the_file_refines_exit_codes_0_and_4_and_hides_no_failure(
    tmp_path: Path, content: str | None, exit_code: int, outcome: Outcome, delay_seconds: int | None, reason: str | None
) -> None:
    result = _refined(tmp_path, content, exit_code)
    assert (result.outcome, result.delay_seconds, result.reason) == (outcome, delay_seconds, reason)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "it is no JSON"),
        ("[1]", "action must be one of retry, delete, dead_letter"),
        ('{"action": "eat"}', "action must be one of"),
        ('{"action": "retry", "delay_seconds": -1}', "delay_seconds must be a number from 0 to 43200, got -1"),
        ('{"action": "retry", "delay_seconds": true}', "delay_seconds must be a number"),
        ('{"action": "retry", "reason": 1}', "reason must be text, got 1"),
        ("{" * 70_000, "more than 65536 bytes"),
    ],
)
def test_a_file_that_makes_no_sense_is_said_and_ignored(tmp_path: Path, content: str, says: str) -> None:
    result = _refined(tmp_path, content)
    assert result.outcome is Outcome.SUCCEEDED
    assert says in (result.reason or "")


def test_without_a_dead_letter_queue_the_job_has_failed(tmp_path: Path) -> None:
    result = _refined(tmp_path, '{"action": "dead_letter"}', can_dead_letter=False)
    assert result.outcome is Outcome.FAILED


def test_the_file_refines_the_exit_code_that_means_no_op_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text('{"action": "delete"}')
    outcomes = exit_outcomes((("no_op", 75),))
    results = [result_of_exit(code, 1, can_dead_letter=True, outcomes=outcomes) for code in (75, 4)]
    refined = [refine(result, str(file), can_dead_letter=True).outcome for result in results]
    assert refined == [Outcome.SUCCEEDED, Outcome.FAILED]
