from __future__ import annotations

import random

import pytest

from watchbot.backoff import Backoff
from watchbot.contract import Outcome
from watchbot.result import Result, exit_outcomes, result_of_exit
from watchbot.settlement import DeadLetter, Delete, Policy, Return, Settlement

CHANCE = random.Random(7)
POLICY = Policy(Backoff(), max_receive_count=10, can_dead_letter=True)


@pytest.mark.parametrize(
    ("result", "receive_count", "settlement"),
    [
        (Result(Outcome.SUCCEEDED), 1, Delete()),
        (Result(Outcome.SUCCEEDED), 99, Delete()),
        (Result(Outcome.REJECTED), 1, Delete()),
        (Result(Outcome.NO_OP), 3, Return(8)),
        (Result(Outcome.NO_OP), 10, Return(900)),
        (Result(Outcome.DEAD_LETTERED, reason="exit code 5"), 1, DeadLetter("exit code 5")),
        (Result(Outcome.FAILED, reason="exit code 1"), 1, Return(2)),
        (Result(Outcome.FAILED, reason="exit code 1"), 9, Return(512)),
        (Result(Outcome.FAILED, reason="exit code 1"), 10, DeadLetter("exit code 1 on receive 10 of 10")),
        (Result(Outcome.TIMED_OUT), 2, Return(4)),
        (Result(Outcome.TIMED_OUT), 11, DeadLetter("timed_out on receive 11 of 10")),
        (Result(Outcome.INTERRUPTED), 10, Return(0)),
        (Result(Outcome.INTERRUPTED, delay_seconds=10), 2, Return(10)),
        (Result(Outcome.DID_NOT_START), 10, Return(900)),
        (Result(Outcome.NO_OP, delay_seconds=90), 1, Return(90)),
    ],
)
def test_every_outcome_has_its_settlement(result: Result, receive_count: int, settlement: Settlement) -> None:
    assert POLICY.decide(result, receive_count, CHANCE) == settlement


@pytest.mark.parametrize("outcome", list(Outcome))
def test_without_a_dead_letter_queue_nothing_is_dead_lettered_but_by_request(outcome: Outcome) -> None:
    policy = Policy(Backoff(), max_receive_count=1, can_dead_letter=False)
    settlement = policy.decide(Result(outcome), 5, CHANCE)
    assert isinstance(settlement, DeadLetter) is (outcome is Outcome.DEAD_LETTERED)


@pytest.mark.parametrize(
    ("exit_code", "outcome", "signal"),
    [
        (0, Outcome.SUCCEEDED, None),
        (3, Outcome.REJECTED, None),
        (4, Outcome.NO_OP, None),
        (5, Outcome.DEAD_LETTERED, None),
        (1, Outcome.FAILED, None),
        (2, Outcome.FAILED, None),
        (255, Outcome.FAILED, None),
        (-9, Outcome.FAILED, "SIGKILL"),
        (-64, Outcome.FAILED, "SIGRTMAX"),
    ],
)
def test_an_exit_code_has_its_outcome(exit_code: int, outcome: Outcome, signal: str | None) -> None:
    result = result_of_exit(exit_code, 0, can_dead_letter=True)
    assert (result.outcome, result.signal) == (outcome, signal)


def test_without_a_dead_letter_queue_exit_code_5_means_failed() -> None:
    assert result_of_exit(5, 0, can_dead_letter=False).outcome is Outcome.FAILED


def test_exit_codes_can_be_others_or_none() -> None:
    outcomes = exit_outcomes((("rejected", 99), ("dead_lettered", 3)))
    results = [result_of_exit(code, 0, can_dead_letter=True, outcomes=outcomes) for code in (0, 3, 4, 5, 99)]
    assert [result.outcome for result in results] == [
        Outcome.SUCCEEDED,
        Outcome.DEAD_LETTERED,
        Outcome.FAILED,
        Outcome.FAILED,
        Outcome.REJECTED,
    ]


def test_back_off_is_exactly_two_to_the_receive_count_up_to_a_quarter_of_an_hour() -> None:
    seconds = [Backoff().seconds(count, CHANCE) for count in (1, 2, 3, 9, 10, 1000, 100_000)]
    assert seconds == [2, 4, 8, 512, 900, 900, 900]


def test_jitter_takes_away_at_most_its_share() -> None:
    seconds = [Backoff(jitter=0.5).seconds(6, CHANCE) for _ in range(200)]
    assert 32 <= min(seconds) < 40
    assert 60 < max(seconds) <= 64
