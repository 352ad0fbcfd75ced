"""Real processes, run by the real runner."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.simulation.payloads import SimulatedPayloads
from tests.simulation.virtual_time import run_virtual
from watchbot import worker_process
from watchbot.contract import Outcome
from watchbot.job import Job
from watchbot.message import Message
from watchbot.notice import Notice, Observer, Observers, Stopped, Unstopped
from watchbot.payload import Pointer
from watchbot.payload_store import PayloadDeniedError, PayloadError, Payloads, PayloadUnreadableError
from watchbot.process_runner import ProcessRunner
from watchbot.reaper import Reaper
from watchbot.result import Result, StartFault
from watchbot.scratch import ScratchSpace
from watchbot.worker_environment import WorkerEnvironment
from watchbot.worker_process import keep_descriptors_private

PATH = os.environb[b"PATH"]


class Bench:
    """A runner for one shell command, and what its workers wrote."""

    def __init__(
        self,
        script: str,
        *,
        job_timeout_seconds: float = 0,
        scratch: Path | None = None,
        environment: Mapping[bytes, bytes] | None = None,
        has_lines: bool = True,
        payloads: Payloads | None = None,
        observe: Observer = Observers([]),  # noqa: B008 - hears nothing
    ) -> None:
        self.lines: list[str] = []
        self.space = ScratchSpace(None if scratch is None else str(scratch))
        reaper = Reaper(adopts=False)
        reaper.listen()
        self.runner = ProcessRunner(
            ["sh", "-c", script],
            WorkerEnvironment({b"PATH": PATH, **(environment or {})}),
            workers=4,
            job_timeout_seconds=job_timeout_seconds,
            can_dead_letter=True,
            space=self.space,
            reaper=reaper,
            observe=observe,
            payloads=payloads,
            lines_of=(lambda message_id: self) if has_lines else None,
        )
        self.started = asyncio.Event()
        self._spoken = asyncio.Event()

    def allows(self, size: int) -> bool:
        return True

    def line(self, text: str) -> None:
        self.lines.append(text)
        self._spoken.set()

    def dropped(self, count: int) -> None:
        raise AssertionError(count)

    async def close(self) -> None:
        """As the program ends: once everything has been removed that was to be removed later."""
        await asyncio.get_running_loop().shutdown_default_executor()
        self.space.close()

    async def run(self, text: str = "text") -> Result:
        return await self.runner.run(_job(text), self.started.set, lambda: True)

    async def says(self, line: str) -> None:
        """Wait until a worker has written this line."""
        while line not in self.lines:
            self._spoken.clear()
            await self._spoken.wait()


def _job(text: str, **system: str) -> Job:
    return Job(Message("id", "handle", text, system, {}, 0), text)


def _run(script: str, text: str = "text", *, scratch: Path | None = None) -> tuple[Result, list[str]]:
    async def scenario() -> tuple[Result, list[str]]:
        bench = Bench(script, scratch=scratch)
        result = await bench.run(text)
        return result, bench.lines

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("script", "outcome", "exit_code", "name"),
    [
        ("exit 0", Outcome.SUCCEEDED, 0, None),
        ("exit 3", Outcome.REJECTED, 3, None),
        ("exit 4", Outcome.NO_OP, 4, None),
        ("exit 5", Outcome.DEAD_LETTERED, 5, None),
        ("exit 1", Outcome.FAILED, 1, None),
        ("exit 255", Outcome.FAILED, 255, None),
        ("kill -9 $$", Outcome.FAILED, None, "SIGKILL"),
        ("kill -TERM $$", Outcome.FAILED, None, "SIGTERM"),
    ],
)
def test_a_worker_answers_with_its_exit_code(
    script: str, outcome: Outcome, exit_code: int | None, name: str | None
) -> None:
    result, _ = _run(script)
    assert (result.outcome, result.exit_code, result.signal) == (outcome, exit_code, name)


def test_what_a_worker_writes_arrives_line_by_line_and_complete() -> None:
    _, lines = _run("echo one; echo two >&2; printf 'no newline'")
    assert lines == ["one", "two", "no newline"]


def test_a_long_line_arrives_in_pieces_and_binary_output_does_no_harm() -> None:
    _, lines = _run("head -c 100000 /dev/zero | tr '\\0' x; echo; printf '\\377\\376\\n'")
    assert "".join(lines[:-1]) == "x" * 100_000
    assert lines[-1] == "\ufffd\ufffd"


def test_the_message_file_holds_exactly_the_message() -> None:
    text = 'quotes " and \u00e9 and \0 and\nlines'
    _, lines = _run('od -An -v -tx1 "$MessageFile" | tr -d " \\n"; echo; echo "${Message-unset}"', text)
    assert bytes.fromhex(lines[0]) == text.encode()
    assert lines[1] == "unset"


def test_a_megabyte_arrives_by_file_where_no_variable_can_hold_it() -> None:
    _, lines = _run('wc -c < "$MessageFile"; echo "${Message-unset}"', "x" * 1_048_576)
    assert [line.strip() for line in lines] == ["1048576", "unset"]


def test_a_worker_may_say_more_in_its_result_file() -> None:
    result, _ = _run('echo \'{"action": "retry", "delay_seconds": 90, "reason": "later"}\' > "$ResultFile"')
    assert (result.outcome, result.delay_seconds, result.reason) == (Outcome.NO_OP, 90, "later")


def test_the_workers_directory_is_empty_and_nothing_in_it_is_left_for_the_next_job(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        bench = Bench(
            'ls -A "$TMPDIR" | wc -l; echo x > "$TMPDIR/left"; mkdir -p "$TMPDIR/a/b" "$ResultFile"', scratch=tmp_path
        )
        for _ in range(3):
            await bench.run()
        await bench.close()
        return bench.lines

    assert [line.strip() for line in asyncio.run(scenario())] == ["0", "0", "0"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("harm", ["chmod 777 $TMPDIR", "rmdir $TMPDIR; ln -s $ELSEWHERE $TMPDIR"])
def test_a_directory_that_a_job_has_changed_is_not_lent_again(harm: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "below").mkdir(parents=True)
    (elsewhere / "kept").write_text("kept")

    async def scenario() -> list[str]:
        bench = Bench(
            f'echo "$TMPDIR"; ls -Ad "$TMPDIR"; ls -A "$TMPDIR/"; {harm.replace("$ELSEWHERE", str(elsewhere))}'
        )
        await bench.run()
        await bench.run()
        await bench.close()
        return bench.lines

    lines = asyncio.run(scenario())
    assert len(lines) == 4
    assert lines[0] != lines[2]
    assert sorted(path.name for path in elsewhere.iterdir()) == ["below", "kept"]
    assert elsewhere.stat().st_mode & 0o777 == 0o755


def test_a_job_that_cleans_up_more_than_its_own_harms_no_later_one(tmp_path: Path) -> None:
    async def scenario() -> list[Outcome]:
        bench = Bench(f"rm -rf {tmp_path}/*; exit 0", scratch=tmp_path)
        outcomes = [(await bench.run()).outcome for _ in range(3)]
        await bench.close()
        return outcomes

    assert asyncio.run(scenario()) == [Outcome.SUCCEEDED] * 3


def test_a_full_or_missing_scratch_disk_means_not_started(tmp_path: Path) -> None:
    result, _ = _run("exit 0", scratch=tmp_path / "missing")
    assert result.outcome is Outcome.DID_NOT_START


def test_a_clean_up_that_no_thread_could_be_started_for_changes_no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def scenario() -> Result:
        bench = Bench('echo x > "$TMPDIR/left"; exit 3')
        with monkeypatch.context() as limited:
            limited.setattr(threading.Thread, "start", no_thread)
            return await bench.run()

    result = asyncio.run(scenario())
    assert (result.outcome, result.exit_code) == (Outcome.REJECTED, 3)


def test_what_a_worker_leaves_in_its_group_is_killed_at_its_end() -> None:
    async def scenario() -> None:
        bench = Bench("sleep 1000 & echo $!; exit 0")
        result = await bench.run()
        assert result.outcome is Outcome.SUCCEEDED
        await _gone(int(bench.lines[0]))

    asyncio.run(scenario())


def test_over_the_timeout_a_worker_that_ignores_term_is_killed_with_its_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("watchbot.process_runner.GRACE_SECONDS", 0.1)

    async def scenario() -> tuple[Result, list[str]]:
        bench = Bench("trap '' TERM; sleep 1000 & echo $!; wait; wait; sleep 1000", job_timeout_seconds=0.2)
        result = await bench.run()
        await _gone(int(bench.lines[0]))
        return result, bench.lines

    result, _ = asyncio.run(scenario())
    assert result.outcome is Outcome.TIMED_OUT
    assert result.reason == "over the job timeout of 0.2 seconds"


def test_a_worker_that_exits_with_0_because_it_was_stopped_has_not_succeeded() -> None:
    async def scenario() -> Result:
        bench = Bench("trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done")
        running = asyncio.create_task(bench.run())
        await bench.says("ready")
        await bench.runner.drain(0)
        return await running

    assert asyncio.run(scenario()).outcome is Outcome.INTERRUPTED


def test_a_worker_that_ends_by_itself_before_the_deadline_has_succeeded() -> None:
    async def scenario() -> Result:
        bench = Bench("echo ready; read line < fifo 2>/dev/null; exit 0")
        running = asyncio.create_task(bench.run())
        await bench.says("ready")
        await bench.runner.drain(asyncio.get_running_loop().time() + 60)
        return await running

    assert asyncio.run(scenario()).outcome is Outcome.SUCCEEDED


def test_starts_nothing_while_draining() -> None:
    async def scenario() -> Result:
        bench = Bench("exit 0")
        await bench.runner.drain(0)
        return await bench.run()

    assert asyncio.run(scenario()).outcome is Outcome.INTERRUPTED


def test_an_abandoned_worker_is_stopped() -> None:
    async def scenario() -> Result:
        bench = Bench("echo ready; sleep 1000")
        running = asyncio.create_task(bench.run())
        await bench.says("ready")
        bench.runner.abandon("id")
        return await running

    assert asyncio.run(scenario()).outcome is Outcome.INTERRUPTED


def test_a_worker_has_default_signals_no_inherited_descriptors_and_a_session_of_its_own() -> None:
    script = "grep -E 'SigIgn|SigBlk' /proc/self/status; ls -m /proc/$$/fd; ps -o sid= -p $$; echo $$"
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    keep_descriptors_private()
    hung_up = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    worker_process._ignored_signals.cache_clear()
    try:
        _, lines = _run(script)
    finally:
        signal.signal(signal.SIGHUP, hung_up)
        worker_process._ignored_signals.cache_clear()
        os.close(reading)
        os.close(writing)
    # glibc's posix_spawn leaves its two internal signals, 32 and 33, ignored in every program it starts.
    assert [int(line.split()[1], 16) & ~(3 << 31) for line in lines[:2]] == [0, 0]
    assert {"0", "1", "2"} <= set(lines[2].split(", ")) <= {"0", "1", "2", "10"}  # 10 is the shell's own
    assert lines[3].strip() == lines[4].strip()


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [("#!/no/such/interpreter\n", 0o755, "cannot be started"), ("no program at all", 0o755, "cannot be started")],
)
def test_a_program_that_cannot_be_executed_means_not_started(
    tmp_path: Path, content: str, mode: int, reason: str
) -> None:
    program = tmp_path / "program"
    program.write_text(content)
    program.chmod(mode)
    result = _run_command([str(program)])
    assert result.outcome is Outcome.DID_NOT_START
    assert reason in (result.reason or "")
    assert str(program) in (result.reason or "")


def test_a_message_that_does_not_fit_beside_the_environment_is_left_to_its_file() -> None:
    text = "x" * 126_000
    large = {f"LARGE{number}".encode(): b"y" * 100_000 for number in range(20)}

    async def scenario() -> tuple[Result, list[str]]:
        bench = Bench('echo "${Message-unset} $(wc -c < "$MessageFile")"', environment=large)
        return await bench.run(text), bench.lines

    result, lines = asyncio.run(scenario())
    assert (result.outcome, lines) == (Outcome.SUCCEEDED, ["unset 126000"])


def test_a_missing_command_is_named_with_the_path_it_was_looked_up_in() -> None:
    result = _run_command(["no-such-command"])
    assert result.outcome is Outcome.DID_NOT_START
    assert result.reason == f"command not found: no-such-command in PATH {PATH.decode()!r}"


def _run_command(command: list[str]) -> Result:
    async def scenario() -> Result:
        reaper = Reaper(adopts=False)
        reaper.listen()
        runner = ProcessRunner(
            command,
            WorkerEnvironment({b"PATH": PATH}),
            workers=1,
            job_timeout_seconds=0,
            can_dead_letter=True,
            space=ScratchSpace(None),
            reaper=reaper,
            observe=Observers([]),
            lines_of=lambda message_id: Bench("unused"),
        )
        return await runner.run(_job("x"), lambda: None, lambda: True)

    return asyncio.run(scenario())


async def _gone(pid: int) -> None:
    """Wait until this process, which may be anyone's child, has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), 10)
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


@pytest.mark.parametrize(("size", "big_variables"), [(200_000, 0), (131_054, 0), (100_000, 16)])
def test_attributes_that_no_variable_holds_are_in_a_file(size: int, big_variables: int) -> None:
    attributes = {"a": {"Type": "String", "Value": "v" * (size - len('{"a": {"Type": "String", "Value": ""}}'))}}
    text = json.dumps(attributes)
    # A large environment of the image leaves no room beside it: Linux takes two megabytes of strings in all.
    environment = {b"BIG%d" % number: b"x" * 127_000 for number in range(big_variables)}

    async def scenario() -> tuple[list[str], Result]:
        bench = Bench('wc -c < "$MessageAttributesFile"; echo "${MessageAttributes-unset}"', environment=environment)
        job = dataclasses.replace(_job("x"), attributes=attributes)
        return bench.lines, await bench.runner.run(job, lambda: None, lambda: True)

    lines, result = asyncio.run(scenario())
    assert (lines, result.outcome) == ([str(len(text)), "unset"], Outcome.SUCCEEDED)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the group in /proc")
def test_a_worker_with_no_place_for_its_lines_has_our_streams_and_group(capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> Result:
        bench = Bench("cut -d ' ' -f 5 /proc/$$/stat; echo talk >&2; exit 3", has_lines=False)
        return await bench.run()

    assert asyncio.run(scenario()).exit_code == 3
    assert capfd.readouterr() == (f"{os.getpgrp()}\n", "talk\n")


def test_such_a_worker_alone_is_told_to_stop() -> None:
    async def scenario() -> Result:
        bench = Bench("trap 'exit 0' TERM; while :; do sleep 0.01; done", job_timeout_seconds=0.2, has_lines=False)
        return await bench.run()

    assert asyncio.run(scenario()).outcome is Outcome.TIMED_OUT


POINTER = Pointer("payloads", "k")


class _Payloads(SimulatedPayloads):
    """Answers with an error, or with an object of so many bytes."""

    def __init__(self, outcome: Exception | int) -> None:
        super().__init__()
        self._outcome = outcome

    async def fetch(self, pointer: Pointer, file: str, limit: int) -> None:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        if self._outcome > limit:
            raise PayloadUnreadableError(f"{self._outcome} bytes, the disk at most {limit}")


def _fault_of(payloads: Payloads | None, job: Job, space: ScratchSpace | None = None) -> Result:
    async def scenario() -> Result:
        bench = Bench("exit 0", payloads=payloads)
        if space is not None:
            bench.space = space
            bench.runner._space = space
        try:
            return await bench.runner.run(job, lambda: None, lambda: True)
        finally:
            await bench.close()

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (PayloadUnreadableError("kms:Decrypt"), StartFault.MESSAGE),
        (PayloadDeniedError("AccessDenied"), StartFault.EITHER),
        (PayloadError("cannot be reached"), StartFault.SERVICE),
        (OSError(errno.ENOSPC, "No space left on device"), StartFault.LOCAL),
        (OSError(errno.EFBIG, "File too large"), StartFault.MESSAGE),
        (1 << 60, StartFault.MESSAGE),
    ],
)
def test_a_payload_that_cannot_be_brought_says_whose_fault_that_is(answer: Exception | int, fault: StartFault) -> None:
    result = _fault_of(_Payloads(answer), dataclasses.replace(_job("x"), text=None, pointer=POINTER))
    assert (result.outcome, result.fault) == (Outcome.DID_NOT_START, fault)


def test_a_message_that_fits_no_disk_here_is_at_fault_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("watchbot.scratch._write", full)
    small = ScratchSpace(None)
    assert _fault_of(None, _job("x")).fault is StartFault.LOCAL
    monkeypatch.setattr(small, "room", lambda: 0)
    assert _fault_of(None, _job("x"), small).fault is StartFault.MESSAGE


def test_a_variable_of_a_sender_that_leaves_no_room_is_the_messages_fault() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (512 * 1024, before[1]))  # a quarter is for environment and arguments
    try:
        long = dataclasses.replace(_job("x"), subject="s" * 131_000)
        result = _fault_of(None, long)
        assert (result.outcome, result.fault) == (Outcome.DID_NOT_START, StartFault.MESSAGE)
        assert _fault_of(None, _job("x")).outcome is Outcome.SUCCEEDED
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, before)


def test_a_command_that_has_started_once_and_is_gone_is_local_damage(tmp_path: Path) -> None:
    program = tmp_path / "work"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    async def scenario() -> tuple[Result, Result]:
        bench = Bench("exit 0")
        bench.runner._command = (str(program),)
        try:
            first = await bench.runner.run(_job("x"), lambda: None, lambda: True)
            program.unlink()
            return first, await bench.runner.run(_job("y"), lambda: None, lambda: True)
        finally:
            await bench.close()

    first, second = asyncio.run(scenario())
    assert first.outcome is Outcome.SUCCEEDED
    assert (second.outcome, second.fault) == (Outcome.DID_NOT_START, StartFault.LOCAL)
    assert _run_command(["no-such-command"]).fault is StartFault.SERVICE


def test_a_process_that_cannot_be_killed_is_reported_and_holds_no_drain_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that waits for a broken network disk, say."""

    class Stuck:
        def __init__(self, *_: object, **__: object) -> None:
            self.exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def signal(self, _: int) -> bool:
            return True

    monkeypatch.setattr("watchbot.process_runner.WorkerProcess", Stuck)
    heard: list[Notice] = []

    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        bench = Bench("exit 0", job_timeout_seconds=60, observe=heard.append)
        running = asyncio.ensure_future(bench.runner.run(_job("x"), lambda: None, lambda: True))
        await asyncio.sleep(5000)
        began_at = loop.time()
        await bench.runner.drain(began_at)
        took = loop.time() - began_at
        running.cancel()
        await asyncio.wait([running])
        return took

    assert run_virtual(scenario()) <= 15
    assert [round(one.waited_seconds) for one in heard if isinstance(one, Unstopped)] == [300, 3900]
    assert isinstance(heard[-1], Stopped)
