"""Trouble with receiving is told by its cause, asked about with pauses, and forgotten when it has passed."""

from __future__ import annotations

import contextlib
import itertools

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.proxy import FaultyProxy
from watchbot_cli.local.emulator import Emulator

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


def _watch(stack: contextlib.ExitStack, emulator: Emulator, fault: str) -> tuple[Queues, FaultyProxy, Program]:
    queues = Queues(emulator, f"receives-{fault}-{id(stack)}")
    proxy = stack.enter_context(FaultyProxy(emulator.endpoint_url))
    program = Program(queues, "echo done", workers="80")
    program.environment["AWS_ENDPOINT_URL"] = proxy.url
    return queues, proxy, program


def test_trouble_is_told_by_its_cause_and_work_goes_on_when_it_has_passed(emulator: Emulator) -> None:
    """One watcher for each kind of trouble, side by side."""
    with contextlib.ExitStack() as stack:
        watches = []
        for fault in SAYS:
            queues, proxy, program = _watch(stack, emulator, fault)
            proxy.breaks(RECEIVE, fault, fault)
            watches.append((queues, stack.enter_context(program)))
        for (fault, says), (queues, program) in zip(SAYS.items(), watches, strict=True):
            error = program.hears("queue.error")
            assert [text for text in {*SAYS.values()} if text in error.fields["reason"]] == [says], fault
            queues.send("x")
            assert program.hears("job.finished").fields["settlement"] == "deleted"
            assert len(program.events("queue.error")) == 1


# Seconds: the pause doubles while receives fail, and jitter takes away at most half.
LEAST_PAUSES = {"500": [0.5, 1, 2], "reset": [0.5, 1, 2], "garbage": [0.5, 0.5, 0.5], "empty": [0.5, 0.5, 0.5]}


def test_receives_that_fail_or_bring_nothing_at_once_are_no_hot_loop(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.ExitStack() as stack:
        watches = []
        for fault in LEAST_PAUSES:
            queues, proxy, program = _watch(stack, emulator, fault)
            proxy.breaks_every(RECEIVE, fault)
            watches.append((queues, proxy, stack.enter_context(program)))
        for queues, proxy, _ in watches:
            proxy.sees(RECEIVE, 3)
            proxy.heals(RECEIVE)
            queues.send("x")
        for (fault, least), (_, proxy, program) in zip(LEAST_PAUSES.items(), watches, strict=True):
            assert program.hears("job.finished").fields["outcome"] == "succeeded"
            pauses = [later - earlier for earlier, later in itertools.pairwise(proxy.made[RECEIVE][:4])]
            with capsys.disabled():
                print(f"\nreceive, {fault}: pauses of {', '.join(f'{pause:.2f}' for pause in pauses)} s")
            assert [pause for pause, bound in zip(pauses, least, strict=True) if pause < bound * 0.95] == [], fault
