"""Trouble with receiving is told by its cause, asked about with pauses, and forgotten when it has passed."""

from __future__ import annotations

import itertools

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.proxy import FaultyProxy

RECEIVE = "ReceiveMessage"

SAYS = {
    "QueueDoesNotExist": "there is no queue",
    "AccessDeniedException": "(AccessDeniedException)",
    "ExpiredTokenException": "the AWS credentials are no longer valid",
    "UnrecognizedClientException": "the AWS credentials are no longer valid",
    "throttled": "(ThrottlingException)",
    "500": "(InternalFailure)",
    "reset": "cannot be reached",
}


@pytest.mark.parametrize("fault", SAYS)
def test_trouble_is_told_by_its_cause_and_work_goes_on_when_it_has_passed(queues: Queues, fault: str) -> None:
    with FaultyProxy(queues.emulator.endpoint_url) as proxy:
        proxy.breaks(RECEIVE, fault, fault)
        program = Program(queues, "echo done", workers="20")
        program.environment["AWS_ENDPOINT_URL"] = proxy.url
        with program:
            error = program.hears("queue.error")
            assert SAYS[fault] in error.fields["reason"]
            others = {text for name, text in SAYS.items() if text != SAYS[fault]}
            assert not [text for text in others if text in error.fields["reason"]]
            queues.send("x")
            assert program.hears("job.finished").fields["settlement"] == "deleted"
            assert len(program.events("queue.error")) == 1


@pytest.mark.parametrize("fault", ["500", "reset", "garbage"])
def test_receives_that_fail_or_bring_nothing_at_once_are_no_hot_loop(
    queues: Queues, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with FaultyProxy(queues.emulator.endpoint_url) as proxy:
        proxy.breaks_every(RECEIVE, fault)
        program = Program(queues, "exit 0", workers="80")
        program.environment["AWS_ENDPOINT_URL"] = proxy.url
        with program:
            proxy.sees(RECEIVE, 3)
            proxy.heals(RECEIVE)
            queues.send("x")
            assert program.hears("job.finished").fields["outcome"] == "succeeded"
        made = proxy.made[RECEIVE][:4]
    pauses = [later - earlier for earlier, later in itertools.pairwise(made)]
    with capsys.disabled():
        print(f"\nreceive, {fault}: pauses of {', '.join(f'{pause:.2f}' for pause in pauses)} s")
    # The pause doubles while receives fail, and jitter takes away at most half.
    least = [0.5, 0.5, 0.5] if fault == "garbage" else [0.5, 1, 2]
    assert [pause for pause, bound in zip(pauses, least, strict=True) if pause < bound * 0.95] == []
