"""``watchbot send`` that is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

from tests.acceptance.letters import received
from tests.acceptance.operated import Operated
from tests.fault.proxy import FaultyProxy


def test_an_interruption_tells_exactly_what_was_sent(operated: Operated, tmp_path: Path) -> None:
    plain = operated.services["plain"]
    file = tmp_path / "jobs"
    file.write_text("\n".join(map(str, range(1, 20_001))))
    command = operated.command("send", "--file", str(file), "--to", "queue", "--json")
    with FaultyProxy(operated.emulator.endpoint_url) as proxy:
        environment = operated.environment(AWS_ENDPOINT_URL=proxy.url)
        with subprocess.Popen(command, env=environment, stdout=-1, stderr=-1, text=True) as running:
            proxy.sees("SendMessageBatch", 20)
            running.send_signal(signal.SIGINT)
            said, talk = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "watchbot: interrupted" in talk
    assert "Traceback" not in talk
    account = json.loads(said)
    bounds = [part.partition("-") for part in account["lines"].split(", ")]
    told = {n for first, _, last in bounds for n in range(int(first), int(last or first) + 1)}
    arrived = {int(one["Body"]) for one in received(operated.sqs, plain.queue_url)}
    assert told == arrived
    assert 0 < account["sent"] == len(told) < account["of"] == 20_000
