"""Work that is done is not done again, whatever becomes of the call that deletes its message."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.proxy import FaultyProxy
from watchbot_cli.local.emulator import Emulator

FAULTS = {
    "500": ("500", "503", "500"),
    "throttled": ("throttled", "throttled"),
    "reset": ("reset", "reset"),
    "carried out, but the answer is lost": ("lost answer", "lost answer"),
    "part of the batch": ("partly", "partly", "partly"),
    "an answer of someone else": ("garbage", "empty"),
    "expired credentials": ("ExpiredTokenException", "ExpiredTokenException"),
    "rights taken away for a while": ("AccessDeniedException", "AccessDeniedException"),
}


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_a_delete_that_fails_is_made_again_and_no_job_runs_twice(
    emulator: Emulator, tmp_path: Path, *, fifo: bool
) -> None:
    """One watcher for each kind of trouble, side by side."""
    bodies = [str(number) for number in range(4 if fifo else 10)]
    with contextlib.ExitStack() as stack:
        watches = []
        for number, faults in enumerate(FAULTS.values()):
            queues = Queues(emulator, f"deletes-{number}", fifo=fifo)
            queues.send(*bodies)
            proxy = stack.enter_context(FaultyProxy(emulator.endpoint_url))
            proxy.breaks("DeleteMessageBatch", *faults)
            # A lease that ends soon: a delete that is given up or only believed would be heard of.
            program = Program(queues, 'echo "$Message" >> "$LEDGER"', workers="10", visibility_timeout_seconds="6")
            program.environment |= {"AWS_ENDPOINT_URL": proxy.url, "LEDGER": str(tmp_path / str(number))}
            watches.append((queues, proxy, stack.enter_context(program)))
        for number, (kind, faults) in enumerate(FAULTS.items()):
            queues, proxy, program = watches[number]
            program.hears("job.finished", len(bodies))
            queues.becomes(0, 0)
            assert program.is_running
            assert program.events("watcher.bug") + program.events("message.received_again") == [], kind
            assert proxy.broken.total() == len(faults), kind
            ran = (tmp_path / str(number)).read_text().split()
            assert (ran if fifo else sorted(ran)) == bodies, kind
