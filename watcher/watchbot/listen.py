"""``python -m watchbot listen [-- COMMAND ARG…]``: puts the parts together and runs them."""

from __future__ import annotations

import asyncio
import functools
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from watchbot.allocator import return_large_blocks
from watchbot.aws_session import AwsAccess, Connection, in_ecs, leave_to_worker
from watchbot.bug import contained, kept_running
from watchbot.contract import (
    HEALTH_FILE,
    SCRATCH_DIRECTORY,
    Event,
    Isolation,
    LogFormat,
    Settings,
    SettingsError,
    is_task_setting,
)
from watchbot.ecs import BotoEcs
from watchbot.health import Health
from watchbot.journal import Journal
from watchbot.line_writer import LineWriter
from watchbot.log_observer import LogObserver
from watchbot.message import Message
from watchbot.message_memory import share_of_memory
from watchbot.metrics import Metrics
from watchbot.notice import Bug, EcsTrouble, Observer, Observers, QueueTrouble
from watchbot.notifications import notifier
from watchbot.opener import EnvelopeOpener
from watchbot.own_process import close_to_workers
from watchbot.payload import Pointer
from watchbot.payload_cleaner import PayloadCleaner
from watchbot.payload_store import BotoPayloads, Payloads
from watchbot.process_isolation import process_runner
from watchbot.process_runner import LONGEST_SECONDS
from watchbot.protection import EcsAgent, Protection
from watchbot.reported_ecs import ReportedEcs
from watchbot.runner import Runner
from watchbot.scratch import ScratchSpace
from watchbot.settlement import Policy
from watchbot.signature import SignatureRule
from watchbot.signature_check import SignatureCheck
from watchbot.signing_secret import BotoSecrets, SigningSecret
from watchbot.sqs import POLL_SECONDS, TASK_POLL_SECONDS, BotoSqs
from watchbot.start_retry import OVERDUE_AFTER_SECONDS, StartRetry
from watchbot.stop import Stop
from watchbot.stop_signals import terminating_signals
from watchbot.tail import OutputTails
from watchbot.task_isolation import task_runner
from watchbot.task_message import TaskMessage
from watchbot.thread_pool import thread_pool
from watchbot.watcher import Watcher
from watchbot.work_queue import WorkQueue
from watchbot.worker_environment import WorkerEnvironment, shared_variables
from watchbot.worker_log import WorkerLog
from watchbot.worker_process import WorkerStartError, find_program

_MOST_POLLS = 8
_FLUSH_SECONDS = 5.0

_OTHER_THREADS = 4
"""For what has no pool of its own: removing what jobs leave on disk."""

_TASK_MEMORY_BYTES = 64 << 20
"""What messages may take of a watcher's own task; a poll's answer takes as much again for a moment."""


def listen(command: Sequence[str], environment: MutableMapping[str, str], container: Mapping[bytes, bytes]) -> int:
    """Work on the queue that the environment names until told to stop; gives the exit code.

    ``container`` is the environment that the container was started with, which workers inherit.

    Raises :class:`SettingsError` with everything that is wrong with the environment and the command.
    """
    return_large_blocks()
    worker_environment = WorkerEnvironment.of_container(container)
    settings = _settings(command, environment, worker_environment)
    if in_ecs(environment):
        leave_to_worker(environment)
    if settings.isolation is Isolation.PROCESS:
        close_to_workers()
    writer = LineWriter(1, functools.partial(_lines_missing, settings.log_format))
    journal = Journal(writer, settings.log_format, time.time, writer.worker_line)
    metrics = Metrics(settings.service, writer, time.time)
    space = ScratchSpace(SCRATCH_DIRECTORY if _has_scratch() else None)
    try:
        return asyncio.run(_listen(settings, command, environment, worker_environment, space, journal, metrics))
    finally:
        space.close()
        writer.close(_FLUSH_SECONDS)


def _lines_missing(log_format: LogFormat, count: int) -> str:
    """Return the line that stands for so many which were not read in time."""
    lines: list[str] = []
    missing = Journal(lines.append, log_format, time.time)
    missing.event(Event.LOG_LINES_DROPPED, level="warning", lines=count, reason="they were not read in time")
    return lines[0]


def _has_scratch() -> bool:
    """Whether there is the volume that a task has for the watcher's and the workers' files."""
    return os.access(SCRATCH_DIRECTORY, os.W_OK | os.X_OK)


def _settings(command: Sequence[str], environment: Mapping[str, str], workers: WorkerEnvironment) -> Settings:
    problems: list[str] = []
    try:
        settings = Settings.from_env(environment)
    except SettingsError as error:
        problems += error.problems
        is_task = any(map(is_task_setting, environment))
    else:
        is_task = settings.isolation is Isolation.TASK
    if is_task and command:
        problems.append(f"a command ({command[0]} …) has no meaning with a cluster: ECS tasks are the workers")
    if not is_task and not command:
        problems.append("there is no command: give the worker's as listen -- COMMAND ARG…")
    if not is_task and command:
        try:
            find_program(command[0], workers.search_path)
        except WorkerStartError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError(tuple(problems))
    return settings


async def _listen(
    settings: Settings,
    command: Sequence[str],
    environment: Mapping[str, str],
    worker_environment: WorkerEnvironment,
    space: ScratchSpace,
    journal: Journal,
    metrics: Metrics,
) -> int:
    asyncio.get_running_loop().set_default_executor(thread_pool(_OTHER_THREADS, "other"))
    stop = Stop()
    stop.listen(terminating_signals(in_ecs=in_ecs(environment)))
    chance = random.Random()  # noqa: S311 - jitter, not secrets
    protection = _protection(settings, environment, stop, journal)
    aws = AwsAccess(environment, settings.queue_url, settings.endpoint_url, Connection.of(settings))
    opener = EnvelopeOpener(settings.payload_bucket)
    payloads = _payloads(settings, aws)
    variables = shared_variables(settings)
    task_message = TaskMessage(variables, payloads, settings.task_payload_bucket)
    cleaner = _cleaner(settings, payloads, opener, task_message, journal)
    tails = OutputTails()
    notify = notifier(settings, environment, aws, opener, tails, journal, chance)
    optional = [observer for observer in (protection, cleaner, notify) if observer is not None]
    log = LogObserver(journal, bodies=settings.log_message_bodies, debug=settings.debug)
    observe = Observers([log, metrics, *optional])
    asyncio.get_running_loop().set_exception_handler(lambda _, context: observe(Bug(_error_in(context))))
    sqs = _sqs(settings, aws)
    jobs: Runner
    if settings.cluster is None:
        output = WorkerLog(journal, metrics, settings.log_rate_bytes)
        lines_of = output.of_job if notify is None else tails.tailing(output.of_job)
        workers = worker_environment.with_variables(variables)
        jobs = process_runner(settings, command, workers, space, lines_of, payloads, observe, stop.give_up)
    else:
        started = functools.partial(_say_task_started, journal)
        ecs = ReportedEcs(BotoEcs(settings.cluster, aws), lambda problem: observe(EcsTrouble(problem)))
        jobs = task_runner(settings, ecs, variables, task_message, started, chance, observe)
    runner = StartRetry(
        _checked(jobs, settings, aws),
        max_receive_count=settings.max_receive_count,
        can_dead_letter=settings.dead_letter_queue_url is not None,
        observe=observe,
        chance=chance,
        # A task of ours that is replaced mends nothing where the workers run elsewhere.
        give_up=stop.give_up if settings.isolation is Isolation.PROCESS else None,
        overdue_seconds=settings.start_timeout_seconds + OVERDUE_AFTER_SECONDS,
    )
    watcher = Watcher(
        _work_queue(settings, sqs, chance, observe, task_message),
        opener,
        runner,
        Policy.of(settings),
        fifo=settings.fifo,
        visibility_timeout_seconds=settings.visibility_timeout_seconds,
        drain_seconds=settings.drain_seconds,
        max_polls=_most_polls(settings),
        memory_bytes=share_of_memory(_TASK_MEMORY_BYTES if settings.isolation is Isolation.TASK else None),
        observe=observe,
        chance=chance,
    )
    runner.on_capacity_change(watcher.capacity_changed)
    task_message.on_let_go(watcher.content_stored)
    _say_started(settings, journal)
    health = Health(HEALTH_FILE) if _has_scratch() else None
    running = (metrics, protection, health, notify)
    beside = [asyncio.create_task(kept_running(one.run)) for one in running if one is not None]
    exit_code = await watcher.run(stop)
    ends = [_finished(one.finish) for one in (cleaner, notify) if one is not None]
    await asyncio.gather(*ends)
    for task in beside:
        task.cancel()
    with contained():
        metrics.flush()
    with contained():
        journal.event(Event.WATCHER_STOPPED, exit_code=exit_code)
    sqs.close()
    return exit_code


async def _finished(finish: Callable[[], Awaitable[None]]) -> None:
    with contained():
        await finish()


def _error_in(context: Mapping[str, Any]) -> BaseException:
    """Return what the event loop reports: an exception, or trouble without one."""
    error = context.get("exception")
    return (
        error if isinstance(error, BaseException) else RuntimeError(context.get("message", "trouble of the event loop"))
    )


def _most_polls(settings: Settings) -> int:
    """Return how many polls may be open at once: one for tasks, of which no account starts more than 20 a second."""
    return 1 if settings.isolation is Isolation.TASK else min(_MOST_POLLS, -(-settings.workers // 10))


def _sqs(settings: Settings, aws: AwsAccess) -> BotoSqs:
    poll_seconds = POLL_SECONDS if settings.isolation is Isolation.PROCESS else TASK_POLL_SECONDS
    return BotoSqs(settings.queue_url, settings.visibility_timeout_seconds, _most_polls(settings), aws, poll_seconds)


def _payloads(settings: Settings, aws: AwsAccess) -> Payloads | None:
    if settings.payload_bucket is None and settings.task_payload_bucket is None:
        return None
    return BotoPayloads(aws, settings.start_timeout_seconds)


def _checked(jobs: Runner, settings: Settings, aws: AwsAccess) -> Runner:
    """Put the check of signatures before the jobs, where senders sign."""
    if settings.hmac_secret is None:
        return jobs
    secrets = BotoSecrets(aws, settings.hmac_secret, settings.hmac_field)
    return SignatureCheck(
        jobs,
        SignatureRule(settings),
        SigningSecret(secrets, time.time),
        settings.hmac_on_invalid,
        can_dead_letter=settings.dead_letter_queue_url is not None,
    )


def _say_started(settings: Settings, journal: Journal) -> None:
    with contained():
        journal.event(
            Event.WATCHER_STARTED,
            service=settings.service,
            isolation=settings.isolation.value,
            workers=settings.workers,
            queue_url=settings.queue_url,
            settings=settings.to_log() if settings.debug else None,
        )


def _say_task_started(journal: Journal, message_id: str, arn: str) -> None:
    with contained():
        journal.event(Event.TASK_STARTED, message_id=message_id, task=arn)


def _cleaner(
    settings: Settings,
    payloads: Payloads | None,
    opener: EnvelopeOpener,
    task_message: TaskMessage,
    journal: Journal,
) -> PayloadCleaner | None:
    """Delete what the watcher itself has put into S3, and senders' payloads only where that was asked for."""
    if payloads is None or not (settings.delete_payloads or settings.task_payload_bucket):
        return None

    def kept(message_id: str, problem: str) -> None:
        journal.event(Event.PAYLOAD_KEPT, message_id=message_id, level="warning", reason=problem)

    theirs = opener.pointer_of if settings.delete_payloads else _no_payload
    return PayloadCleaner(payloads, theirs, task_message.parked, kept)


def _no_payload(message: Message) -> Pointer | None:
    """Leave what senders put into S3 where it is: the messages of other queues may point to it, too."""
    return None


def _protection(settings: Settings, environment: Mapping[str, str], stop: Stop, journal: Journal) -> Protection | None:
    """Protect a task that jobs run in; ECS tasks of their own need no protection of their watcher's."""
    agent_uri = environment.get("ECS_AGENT_URI")
    if agent_uri is None or settings.isolation is Isolation.TASK:
        return None
    return Protection(
        EcsAgent(agent_uri),
        settings.job_timeout_seconds or LONGEST_SECONDS,
        blocked=lambda problem: stop.retire(f"the service wants fewer tasks: {problem}"),
        failed=lambda problem: journal.event(Event.PROTECTION_FAILED, level="warning", reason=problem),
    )


def _work_queue(
    settings: Settings, sqs: BotoSqs, chance: random.Random, observe: Observer, task_message: TaskMessage
) -> WorkQueue:
    return WorkQueue(
        sqs,
        fifo=settings.fifo,
        dead_letter_queue_url=settings.dead_letter_queue_url,
        chance=chance,
        report=lambda problem, message_id: observe(QueueTrouble(problem, message_id)),
        whole=task_message.whole,
    )
