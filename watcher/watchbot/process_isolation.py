"""Isolation.PROCESS put together: everything between a job and its process."""

from __future__ import annotations

from collections.abc import Sequence

from watchbot.contract import Settings
from watchbot.leftovers import GivenUp
from watchbot.notice import Observer
from watchbot.payload_store import Payloads
from watchbot.process_runner import LinesOf, ProcessRunner
from watchbot.reaper import Reaper
from watchbot.result import exit_outcomes
from watchbot.scratch import ScratchSpace
from watchbot.worker_environment import WorkerEnvironment
from watchbot.worker_process import keep_descriptors_private


def process_runner(
    settings: Settings,
    command: Sequence[str],
    environment: WorkerEnvironment,
    space: ScratchSpace,
    lines_of: LinesOf | None,
    payloads: Payloads | None,
    observe: Observer,
    given_up: GivenUp,
) -> ProcessRunner:
    """Make the runner on the running loop, which hears of every child's end from now on.

    ``given_up`` is called when this container cannot be cleaned up after a job.
    """
    keep_descriptors_private()
    reaper = Reaper(adopts=True, given_up=given_up)
    reaper.listen()
    return ProcessRunner(
        command,
        environment,
        workers=settings.workers,
        job_timeout_seconds=settings.job_timeout_seconds,
        can_dead_letter=settings.dead_letter_queue_url is not None,
        outcomes=exit_outcomes(settings.exit_codes),
        space=space,
        reaper=reaper,
        lines_of=lines_of,
        payloads=payloads,
        observe=observe,
    )
