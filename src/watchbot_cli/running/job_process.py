"""The process of one job: opens a message and runs its worker as a watcher does, but as a part of this terminal.

``python -m watchbot_cli.running.job_process MESSAGE ANSWER TETHER -- COMMAND ARG…``: files with the message and for
what came of it, and a pipe of which only the parent holds the other end. Its environment is a watcher's.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from watchbot.aws_session import AwsAccess
from watchbot.contract import Outcome, Settings, SettingsError
from watchbot.job import NoJob
from watchbot.log_observer import settlement_fields
from watchbot.message import Message
from watchbot.notice import Observers
from watchbot.opener import EnvelopeOpener
from watchbot.payload_store import BotoPayloads
from watchbot.process_isolation import process_runner
from watchbot.process_runner import ProcessRunner
from watchbot.result import Result
from watchbot.scratch import ScratchSpace
from watchbot.settlement import Policy
from watchbot.worker_environment import WorkerEnvironment, container_environment, shared_variables
from watchbot_cli.running.given import from_json


def main(arguments: Sequence[str]) -> None:
    """Run the job and write what came of it; Ctrl-C is the worker's alone."""
    message_file, answer_file, tether, _, *command = arguments
    signal.signal(signal.SIGINT, lambda *_: None)
    message = from_json(Path(message_file).read_text())
    try:
        answer = asyncio.run(_answer(Settings.from_env(os.environ), command, message, int(tether)))
    except SettingsError as error:
        answer = {"outcome": Outcome.DID_NOT_START.value, "reason": str(error)}
    Path(answer_file).write_text(json.dumps(answer))


async def _answer(settings: Settings, command: Sequence[str], message: Message, tether: int) -> dict[str, Any]:
    job = await EnvelopeOpener(settings.payload_bucket).open(message)
    if isinstance(job, NoJob):
        return {"outcome": None, "reason": job.reason, "settlement": "deleted"}
    space = ScratchSpace(None)
    runner = _runner(settings, command, space)
    end = _follow(runner, tether)
    try:
        result = await runner.run(job, lambda: None, lambda: True)
    finally:
        space.close()
        await asyncio.gather(*end)
    return _described(settings, message, result)


def _runner(settings: Settings, command: Sequence[str], space: ScratchSpace) -> ProcessRunner:
    """Make the runner; without a timeout, because whoever debugs takes their time."""
    environment = WorkerEnvironment.of_container(container_environment()).with_variables(shared_variables(settings))
    payloads = None
    if settings.payload_bucket is not None:
        payloads = BotoPayloads(AwsAccess(os.environ, settings.queue_url), settings.start_timeout_seconds)
    patient = dataclasses.replace(settings, job_timeout_seconds=0)
    return process_runner(patient, command, environment, space, None, payloads, Observers([]), _report)


def _report(problem: str) -> None:
    sys.stderr.write(f"watchbot: {problem}\n")


def _follow(runner: ProcessRunner, tether: int) -> list[asyncio.Task[None]]:
    """Stop the worker once the parent says so, or is gone; gives the stops that were begun."""
    loop, begun = asyncio.get_running_loop(), list[asyncio.Task[None]]()

    def stop() -> None:
        loop.remove_reader(tether)
        begun.append(asyncio.ensure_future(runner.drain(loop.time())))

    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    loop.add_reader(tether, stop)
    return begun


def _described(settings: Settings, message: Message, result: Result) -> dict[str, Any]:
    chance = random.Random()  # noqa: S311 - jitter, not secrets
    settlement = Policy.of(settings).decide(result, message.receive_count, chance)
    timeout = settings.job_timeout_seconds
    return {
        "outcome": result.outcome.value,
        "exit_code": result.exit_code,
        "reason": result.reason,
        "duration_seconds": result.duration_seconds,
        "timeout_seconds": timeout if timeout and result.duration_seconds > timeout else None,
        **settlement_fields(settlement),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
