"""Work that is done is not done again, whatever becomes of the call that deletes its message."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.fault.proxy import FaultyProxy

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


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("order", ["standard", "fifo"])
def test_a_delete_that_fails_is_made_again_and_no_job_runs_twice(
    request: pytest.FixtureRequest, order: str, kind: str, tmp_path: Path
) -> None:
    queues: Queues = request.getfixturevalue("queues" if order == "standard" else "fifo_queues")
    bodies = [str(number) for number in range(10 if order == "standard" else 4)]
    queues.send(*bodies)
    ledger = tmp_path / "ledger"
    with FaultyProxy(queues.emulator.endpoint_url) as proxy:
        proxy.breaks("DeleteMessageBatch", *FAULTS[kind])
        # A lease that ends soon: a delete that is given up or only believed would be heard of.
        program = Program(queues, 'echo "$Message" >> "$LEDGER"', workers="10", visibility_timeout_seconds="3")
        program.environment |= {"AWS_ENDPOINT_URL": proxy.url, "LEDGER": str(ledger)}
        with program:
            program.hears("job.finished", len(bodies))
            queues.becomes(0, 0)
            assert program.events("watcher.bug") == []
            assert program.events("message.received_again") == []
            assert program.is_running
        assert sum(proxy.broken.values()) == len(FAULTS[kind])
    runs = Counter(ledger.read_text().split())
    assert runs == Counter(bodies)
    if order == "fifo":
        assert ledger.read_text().split() == bodies
