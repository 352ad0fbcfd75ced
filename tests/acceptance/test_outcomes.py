"""Each exit code, with the real program on a real queue: what becomes of the message, and when it is visible again."""

from __future__ import annotations

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues


@pytest.mark.parametrize(("exit_code", "outcome"), [(0, "succeeded"), (3, "rejected")])
def test_exit_codes_0_and_3_delete_the_message(queues: Queues, exit_code: int, outcome: str) -> None:
    queues.send("x")
    with Program(queues, f"exit {exit_code}") as program:
        finished = program.hears("job.finished")
    assert (finished.fields["outcome"], finished.fields["settlement"]) == (outcome, "deleted")
    assert queues.waiting() == (0, 0)
    assert queues.dead_letters() == []


@pytest.mark.parametrize(
    ("script", "outcome", "detail"),
    [
        ("exit 4", "no_op", {"exit_code": 4}),
        ("exit 1", "failed", {"exit_code": 1}),
        ("kill -KILL $$", "failed", {"signal": "SIGKILL"}),
    ],
)
def test_exit_code_4_any_other_and_a_signal_return_the_message_after_its_back_off(
    queues: Queues, script: str, outcome: str, detail: dict[str, object]
) -> None:
    queues.send("x")
    with Program(queues, f'test "$ApproximateReceiveCount" != 1 || {{ {script}; }}') as program:
        finished = program.hears("job.finished")
        again = program.hears("job.started", 2)
        program.hears("job.finished", 2)
    assert finished.fields["outcome"] == outcome
    assert (finished.fields["settlement"], finished.fields["delay_seconds"]) == ("returned", 2)
    assert detail.items() <= finished.fields.items()
    assert again.fields["receive_count"] == 2
    # The emulator answers open polls in steps of a tenth of a second.
    assert 1.8 <= again.at - finished.at <= 4
    assert queues.waiting() == (0, 0)


def test_exit_code_5_moves_the_message_to_the_dead_letter_queue_with_its_reason(queues: Queues) -> None:
    (message_id,) = queues.send("x")
    with Program(queues, "exit 5") as program:
        finished = program.hears("job.finished")
    assert (finished.fields["outcome"], finished.fields["settlement"]) == ("dead_lettered", "dead_lettered")
    (letter,) = queues.dead_letters()
    assert letter["Body"] == "x"
    attributes = {name: one["StringValue"] for name, one in letter["MessageAttributes"].items()}
    assert attributes == {
        "watchbot.MessageId": message_id,
        "watchbot.Reason": "exit code 5",
        "watchbot.ReceiveCount": "1",
    }
    assert queues.waiting() == (0, 0)


def test_the_service_says_what_exit_codes_mean(queues: Queues) -> None:
    queues.send("x")
    with Program(queues, "exit 75", exit_codes="rejected=75") as program:
        finished = program.hears("job.finished")
    assert (finished.fields["outcome"], finished.fields["settlement"]) == ("rejected", "deleted")


def test_exit_code_5_without_a_dead_letter_queue_means_failed(queues: Queues) -> None:
    queues.send("x")
    program = Program(queues, "exit 5")
    del program.environment["WATCHBOT_DEAD_LETTER_QUEUE_URL"]
    with program:
        finished = program.hears("job.finished")
    assert (finished.fields["outcome"], finished.fields["settlement"]) == ("failed", "returned")


def test_the_last_allowed_failure_is_dead_lettered_at_once_with_its_reason(queues: Queues) -> None:
    queues.send("x")
    with Program(queues, "exit 9", max_receive_count="1") as program:
        program.hears("job.finished")
    (letter,) = queues.dead_letters()
    assert letter["MessageAttributes"]["watchbot.Reason"]["StringValue"] == "exit code 9 on receive 1 of 1"


def test_over_the_job_timeout_the_job_has_failed(queues: Queues) -> None:
    queues.send("x")
    with Program(queues, 'test "$ApproximateReceiveCount" != 1 || sleep 1000', job_timeout_seconds="1") as program:
        finished = program.hears("job.finished")
        program.hears("job.finished", 2)
    assert (finished.fields["outcome"], finished.fields["settlement"]) == ("timed_out", "returned")


def test_a_worker_that_cannot_be_started_keeps_its_message(queues: Queues, emulator: object) -> None:
    queues.send("x")
    program = Program(queues, "unused")
    program._command = [*program._command[: program._command.index("--") + 1], "/dev/null"]
    with program:
        exit_code = program.exit_code()
    assert exit_code == 2
    assert queues.waiting() == (1, 0)


def test_what_the_worker_sees_is_what_was_sent(queues: Queues) -> None:
    text = 'héllo "quoted"\n\ttab \U0001f600 $HOME'
    (message_id,) = queues.send(text)
    hexadecimal = 'od -An -v -tx1 | tr -d " \\n"; echo'
    script = f'printf %s "$Message" | {hexadecimal}; cat "$MessageFile" | {hexadecimal}'
    with Program(queues, f"{script}; echo $MessageId") as program:
        program.hears("job.finished")
    assert [bytes.fromhex(line).decode() for line in program.spoken[:2]] == [text, text]
    assert program.spoken[2] == message_id


def test_json_logs_hold_the_same(queues: Queues) -> None:
    queues.send("x")
    with Program(queues, "echo '{\"a\": 1}'", log_format="json") as program:
        finished = program.hears("job.finished")
    assert finished.fields["outcome"] == "succeeded"
    assert program.spoken == ['{"a": 1}']
