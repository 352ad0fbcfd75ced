"""``watchbot send`` beside a bare loop of batches, against the embedded AWS; and how soon ``watchbot --help`` is there.

``python -m bench.send``: both send the same lines to the same queue; the first checks every line, and accounts for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from watchbot.contract import OUTPUT_SUFFIX, Description, Isolation
from watchbot_cli.local.emulator import Emulator

_LINES = 100_000
_STACK = "Bench"
_LEAST_SHARE = 0.7
_HELP_SECONDS = 0.3
_HELPS = 20


def main() -> int:
    with tempfile.TemporaryDirectory() as name, Emulator(Path(name)) as emulator:
        file = Path(name) / "jobs.jsonl"
        file.write_text("".join(f'{{"tile": {number}}}\n' for number in range(_LINES)))
        sqs = emulator.client("sqs")
        queue_url = sqs.create_queue(QueueName="bench")["QueueUrl"]
        _deploy(emulator, queue_url)
        bare = _timed(sqs, queue_url, lambda: _loop(sqs, queue_url, file))
        ours = _timed(sqs, queue_url, lambda: _send(emulator, file))
    share = bare / ours
    print(f"bare loop {_LINES / bare:.0f}/s, watchbot send {_LINES / ours:.0f}/s: {share:.0%}")
    took = min(_help_seconds() for _ in range(_HELPS))
    print(f"watchbot --help: {took * 1000:.0f} ms of processor time, the best of {_HELPS}")
    return 0 if share >= _LEAST_SHARE and took < _HELP_SECONDS else 1


def _deploy(emulator: Emulator, queue_url: str) -> None:
    """Create a stack whose output says that this is a Watchbot's queue."""
    description = Description(
        service=_STACK,
        isolation=Isolation.TASK,
        topic_arn="none",
        queue_url=queue_url,
        dead_letter_queue_url=queue_url,
        log_group="none",
        cluster="none",
        ecs_service="none",
        task_definition="none",
        worker_task_definition="none",
    )
    output = {OUTPUT_SUFFIX: {"Value": json.dumps(description.to_dict())}}
    template = {"Resources": {"Other": {"Type": "AWS::SQS::Queue"}}, "Outputs": output}
    cloudformation = emulator.client("cloudformation")
    cloudformation.create_stack(StackName=_STACK, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=_STACK, WaiterConfig={"Delay": 1})


def _timed(sqs: Any, queue_url: str, send: Any) -> float:
    began = time.monotonic()
    send()
    seconds = time.monotonic() - began
    name = "ApproximateNumberOfMessages"
    found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])["Attributes"][name]
    assert int(found) == _LINES, f"{found} of {_LINES} messages arrived"
    sqs.purge_queue(QueueUrl=queue_url)
    return seconds


def _loop(sqs: Any, queue_url: str, file: Path) -> None:
    lines = file.read_text().splitlines()
    for start in range(0, len(lines), 10):
        entries = [{"Id": str(i), "MessageBody": line} for i, line in enumerate(lines[start : start + 10])]
        sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)


def _help_seconds() -> float:
    """Give the processor time of one whole process, which other programs disturb less than the time on the wall."""
    before = os.times()
    subprocess.run([sys.executable, "-m", "watchbot_cli", "--help"], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _send(emulator: Emulator, file: Path) -> None:
    command = [sys.executable, "-m", "watchbot_cli", "send", "--stack", _STACK, "--to", "queue", "--file", str(file)]
    subprocess.run(command, env={**os.environ, **emulator.environment()}, check=True)


if __name__ == "__main__":
    sys.exit(main())
