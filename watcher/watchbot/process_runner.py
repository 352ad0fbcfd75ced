"""Isolation.PROCESS: every job is a process of its own in a warm task."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import errno
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from watchbot.bug import contained
from watchbot.contract import Outcome
from watchbot.job import Job
from watchbot.message import Message
from watchbot.notice import Observer
from watchbot.payload_store import PayloadError, PayloadGoneError, Payloads
from watchbot.reaper import Reaper
from watchbot.result import USUAL_OUTCOMES, Result, StartFault, result_of_exit
from watchbot.result_file import refine
from watchbot.scratch import Scratch, ScratchSpace
from watchbot.stop_report import StopReport
from watchbot.worker_environment import VARIABLE_LIMIT, WorkerEnvironment, encode
from watchbot.worker_log import Lines
from watchbot.worker_process import EnvironmentTooLargeError, WorkerProcess, WorkerStartError, find_program

GRACE_SECONDS = 5.0
"""Between TERM and KILL."""

_KILLED_SECONDS = 5.0
"""After KILL: how long a drain waits for the end of a process."""

LONGEST_SECONDS = 11 * 3600 + 55 * 60
"""A job may run this long without a timeout of its own: SQS takes the message back after 12 hours."""

_LONG_VARIABLES = 8192
"""Bytes of a job's variables beside which an environment that is too large is so because of them."""

_LONG_ATTRIBUTES = VARIABLE_LIMIT - len("MessageAttributes=") - 1

LinesOf = Callable[[str], Lines]
"""Gives the place for the lines of the worker of this message."""


class ProcessRunner:
    """Runs ``command``, an argv and no shell line, once for each job in up to ``workers`` processes at once.

    Without ``lines_of`` a worker has this process's own streams and terminal.
    """

    outlives_watcher = False

    def __init__(
        self,
        command: Sequence[str],
        environment: WorkerEnvironment,
        *,
        workers: int,
        job_timeout_seconds: float,
        can_dead_letter: bool,
        outcomes: Mapping[int, Outcome] = USUAL_OUTCOMES,
        space: ScratchSpace,
        reaper: Reaper,
        lines_of: LinesOf | None,
        payloads: Payloads | None = None,
        observe: Observer,
    ) -> None:
        self._command = tuple(command)
        self._environment = environment
        self._workers = workers
        self._timeout_seconds = min(job_timeout_seconds or LONGEST_SECONDS, LONGEST_SECONDS)
        self._can_dead_letter = can_dead_letter
        self._outcomes = outcomes
        self._space = space
        self._reaper = reaper
        self._lines_of = lines_of
        self._payloads = payloads
        self._observe = observe
        self._found: str | None = None
        self._running: dict[str, _Run] = {}
        self._bringing: set[str] = set()
        self._has_started = False
        self._draining = False

    @property
    def capacity(self) -> int:
        """The number of workers; their processes cost nothing until they run."""
        return self._workers

    async def run(self, job: Job, started: Callable[[], None], held: Callable[[], bool]) -> Result:
        """Run the command with the job in its environment."""
        if self._draining:
            return Result(Outcome.INTERRUPTED, reason="the watcher is stopping")
        message_id = job.message.message_id
        try:
            scratch = self._space.lend()
        except OSError as error:
            return Result(Outcome.DID_NOT_START, reason=f"no scratch directory: {error}", fault=StartFault.LOCAL)
        try:
            self._bringing.add(message_id)
            job = await self._bring(job, scratch)
            if self._draining or message_id not in self._bringing or not held():
                return Result(Outcome.INTERRUPTED, reason="given up before its worker started")
            worker = self._start(job, scratch)
            run = self._running[message_id] = _Run(worker, StopReport(self._observe, message_id))
            self._has_started = True
            started()
            result = await run.result(self._timeout_seconds, self._read_exit)
            return refine(result, scratch.result_file, can_dead_letter=self._can_dead_letter)
        except PayloadGoneError as error:
            return Result(Outcome.DEAD_LETTERED if self._can_dead_letter else Outcome.FAILED, reason=str(error))
        except PayloadError as error:
            return Result(Outcome.DID_NOT_START, reason=str(error), fault=error.fault)
        except WorkerStartError as error:
            return Result(Outcome.DID_NOT_START, reason=str(error), fault=self._fault(error))
        finally:
            self._running.pop(message_id, None)
            self._bringing.discard(message_id)
            with contained():
                self._space.take_back(scratch, _remove_later)

    def _fault(self, error: WorkerStartError) -> StartFault:
        """Blame this container for a command that it could start before: a job has removed or replaced it."""
        return StartFault.LOCAL if error.fault is StartFault.SERVICE and self._has_started else error.fault

    async def _bring(self, job: Job, scratch: Scratch) -> Job:
        """Bring the message into its file, from wherever it is; a short payload becomes the job's text too."""
        try:
            if job.pointer is None or self._payloads is None:
                return self._write(job, scratch)
            await self._payloads.fetch(job.pointer, scratch.message_file, self._space.room())
            return dataclasses.replace(job, text=scratch.read_short_message())
        except OSError as error:
            problem = f"the message cannot be written to {scratch.message_file}: {error}"
            # The largest file that this process may write is a limit of one message, not a damage of the disk.
            raise WorkerStartError(
                problem, StartFault.MESSAGE if error.errno == errno.EFBIG else StartFault.LOCAL
            ) from error

    def _write(self, job: Job, scratch: Scratch) -> Job:
        text = encode(job.text or "")
        try:
            scratch.write_message(text)
        except OSError as error:
            if len(text) > self._space.room():
                problem = f"the message has {len(text)} bytes, the disk at most {self._space.room()}"
                raise WorkerStartError(problem, StartFault.MESSAGE) from error
            raise
        return job

    def _start(self, job: Job, scratch: Scratch) -> WorkerProcess:
        variables = job.variables() | {
            "MessageFile": scratch.message_file,
            "ResultFile": scratch.result_file,
            "TMPDIR": scratch.directory,
        }
        attributes = encode(variables.get("MessageAttributes", ""))
        if len(attributes) > _LONG_ATTRIBUTES:
            self._bring_attributes(attributes, variables, scratch)
        try:
            return self._spawn(job, variables)
        except EnvironmentTooLargeError:
            # A long message beside a large environment of the image: the files have it all.
            variables.pop("Message", None)
            if "MessageAttributes" in variables:
                self._bring_attributes(attributes, variables, scratch)
            return self._spawn_without_files(job, variables)

    def _spawn_without_files(self, job: Job, variables: Mapping[str, str]) -> WorkerProcess:
        try:
            return self._spawn(job, variables)
        except EnvironmentTooLargeError as error:
            if sum(map(len, variables.values())) > _LONG_VARIABLES:
                error.fault = StartFault.MESSAGE
            raise

    def _bring_attributes(self, attributes: bytes, variables: dict[str, str], scratch: Scratch) -> None:
        """Put attributes that are too long for a variable into a file instead."""
        try:
            scratch.write_attributes(attributes)
        except OSError as error:
            problem = f"the attributes cannot be written to {scratch.attributes_file}: {error}"
            raise WorkerStartError(problem, StartFault.LOCAL) from error
        del variables["MessageAttributes"]
        variables["MessageAttributesFile"] = scratch.attributes_file

    def _spawn(self, job: Job, variables: Mapping[str, str]) -> WorkerProcess:
        return WorkerProcess(
            self._command,
            self._environment.of_job(variables),
            program=self._program(),
            reaper=self._reaper,
            lines=None if self._lines_of is None else self._lines_of(job.message.message_id),
        )

    def _program(self) -> str:
        """Look the program up once, and again when it is no longer there."""
        if self._found is None or not os.access(self._found, os.X_OK):
            self._found = find_program(self._command[0], self._environment.search_path)
        return self._found

    def _read_exit(self, exit_code: int, duration_seconds: float) -> Result:
        return result_of_exit(
            exit_code, duration_seconds, can_dead_letter=self._can_dead_letter, outcomes=self._outcomes
        )

    def abandon(self, message_id: str) -> None:
        """Stop the worker of this message."""
        run = self._running.get(message_id)
        if run is None:
            self._bringing.discard(message_id)
        else:
            run.stop(Outcome.INTERRUPTED, "the lease was lost")

    async def drain(self, deadline: float) -> None:
        """Let workers finish until the deadline; then TERM, five seconds, KILL."""
        self._draining = True
        loop = asyncio.get_running_loop()
        ends = [run.ended for run in self._running.values()]
        if ends and deadline > loop.time():
            await asyncio.wait(ends, timeout=deadline - loop.time())
        for run in self._running.values():
            run.stop(Outcome.INTERRUPTED, "the watcher is stopping")
        pending = [end for end in ends if not end.done()]
        if pending:
            # No longer: a process that waits for a disk or a network file system cannot even be killed.
            await asyncio.wait(pending, timeout=GRACE_SECONDS + _KILLED_SECONDS)
        await self._reaper.finish()

    async def recover(self, message: Message) -> Result | Literal["running"] | None:
        """Find nothing: a process never outlives its watcher."""
        del message
        return None


def _remove_later(removal: Callable[[], None]) -> None:
    """Remove what a job has left on disk, which may take a while, so that nobody waits for it."""
    # When no thread can be started the pool keeps the removal for one that it can.
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop().run_in_executor(None, removal)


class _Run:
    """A worker process and why it was told to stop, if it was."""

    def __init__(self, worker: WorkerProcess, report: StopReport) -> None:
        self._worker = worker
        self._report = report
        self._began_at = asyncio.get_running_loop().time()
        self._stopped_for: tuple[Outcome, str] | None = None
        self._kill: asyncio.TimerHandle | None = None

    @property
    def ended(self) -> asyncio.Future[int]:
        return self._worker.exit_code

    async def result(self, timeout_seconds: float, read_exit: Callable[[int, float], Result]) -> Result:
        loop = asyncio.get_running_loop()
        reason = f"over the job timeout of {timeout_seconds:g} seconds"
        timer = loop.call_later(timeout_seconds, self.stop, Outcome.TIMED_OUT, reason)
        try:
            exit_code = await self.ended
        finally:
            timer.cancel()
            if self._kill is not None:
                self._kill.cancel()
            self._report.end()
        duration = loop.time() - self._began_at
        if self._stopped_for is None:
            return read_exit(exit_code, duration)
        # Whatever it answered: a worker that was told to stop has not finished its job, even if it exits with 0.
        outcome, reason = self._stopped_for
        return Result(outcome, reason=reason, duration_seconds=duration)

    def stop(self, outcome: Outcome, reason: str) -> None:
        """TERM now, KILL after the grace; the first reason given counts."""
        if self._stopped_for is not None or not self._worker.signal(signal.SIGTERM):
            return
        self._stopped_for = (outcome, reason)
        self._report.begin(reason)
        self._kill = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._worker.signal, signal.SIGKILL)
