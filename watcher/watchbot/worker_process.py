"""One worker process: started in a session of its own, watched, and stopped with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from watchbot.output import Output
from watchbot.reaper import Reaper, kill_group
from watchbot.result import StartFault
from watchbot.worker_log import Lines

_NICE = 5
_OOM_SCORE = b"500"


_LOCAL = {
    errno.EAGAIN,
    errno.EDQUOT,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.EROFS,
    errno.ESTALE,
    errno.ETXTBSY,
}
"""What keeps this container from starting any program, whichever it is."""


class WorkerStartError(Exception):
    """The command could not be started at all; the text says why."""

    def __init__(self, problem: str, fault: StartFault = StartFault.SERVICE) -> None:
        self.fault = fault
        super().__init__(problem)


class EnvironmentTooLargeError(WorkerStartError):
    """The environment and the arguments together are more than the system takes."""


class WorkerProcess:
    """A running command; ``exit_code`` resolves to its exit code, or minus the signal that killed it.

    Without ``lines`` it has the streams, the group and the terminal of this process, for a person to talk to.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[bytes, bytes],
        *,
        program: str,
        reaper: Reaper,
        lines: Lines | None,
    ) -> None:
        self._reaper = reaper
        self.exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._output: Output | None = None
        if lines is None:
            self.pid = _spawn(program, command, environment)
        else:
            self.pid, reading = _spawn_with_pipe(program, command, environment)
        reaper.watch(self.pid, self._exited, b"ResultFile=" + environment[b"ResultFile"])
        if lines is not None:
            self._output = self._read_from(reading, lines)
        _make_modest(self.pid)

    def _read_from(self, reading: int, lines: Lines) -> Output:
        try:
            return Output(reading, lines)
        except Exception as error:
            # It would run on with nobody to follow it, or block on a pipe that is not read.
            kill_group(self.pid, signal.SIGKILL)
            os.close(reading)
            raise WorkerStartError(f"the output cannot be read: {error!r}") from error

    def signal(self, number: int) -> bool:
        """Signal the worker's whole group, if it has one of its own; False when it has ended by itself before."""
        self._reaper.reap()
        if self.exit_code.done():
            return False
        if self._output is None:
            os.kill(self.pid, number)
        else:
            kill_group(self.pid, number)
        return True

    def _exited(self, exit_code: int) -> None:
        if not self.exit_code.done():
            self.exit_code.set_result(exit_code)
        if self._output is not None:
            self._output.finish()


def keep_descriptors_private() -> None:
    """Keep the descriptors that this process was started with from every worker; CPython's own are private already."""
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - names are all that is needed
        with contextlib.suppress(OSError):
            if int(name) > 2:
                os.set_inheritable(int(name), False)


def find_program(name: str, search_path: str | None) -> str:
    """Find the program of a command as execvp(3) would; raises :class:`WorkerStartError`."""
    found = shutil.which(name, path=os.defpath if search_path is None else search_path)
    if found is not None:
        return found
    if os.sep in name and Path(name).is_file():
        raise WorkerStartError(f"{name} is not executable")
    where = "" if os.sep in name else f" in PATH {search_path!r}"
    raise WorkerStartError(f"command not found: {name}{where}")


@functools.cache
def _ignored_signals() -> list[signal.Signals]:
    """Give the signals that this process ignores, where a worker expects the system's defaults.

    CPython ignores SIGPIPE and SIGXFSZ, and who starts a watcher may have it ignore others, as nohup does SIGHUP.
    """
    return [one for one in signal.Signals if signal.getsignal(one) is signal.SIG_IGN]


def _spawn_with_pipe(program: str, command: Sequence[str], environment: Mapping[bytes, bytes]) -> tuple[int, int]:
    """Spawn it with a pipe as its output; gives its number and the end to read from."""
    try:
        reading, writing = os.pipe()
    except OSError as error:
        raise WorkerStartError(f"no pipe for the output of {program}: {error.strerror}", StartFault.LOCAL) from error
    try:
        return _spawn(program, command, environment, writing), reading
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)


def _spawn(program: str, command: Sequence[str], environment: Mapping[bytes, bytes], output: int | None = None) -> int:
    apart = (
        []
        if output is None
        else [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ]
    )
    try:
        return os.posix_spawn(
            program,
            list(command),
            environment,
            file_actions=apart,
            setsid=output is not None,
            setsigmask=[],
            setsigdef=_ignored_signals(),
        )
    except OSError as error:
        kind = EnvironmentTooLargeError if error.errno == errno.E2BIG else WorkerStartError
        hint = ", or the interpreter it names is not there" if error.errno == errno.ENOENT else ""
        fault = StartFault.LOCAL if error.errno in _LOCAL else StartFault.SERVICE
        raise kind(f"{program} cannot be started: {error.strerror}{hint}", fault) from error
    except ValueError as error:
        raise WorkerStartError(f"{program} cannot be started: {error}") from error


def _make_modest(pid: int) -> None:
    """Let the kernel prefer the watcher: workers yield the processor to it, and are killed first out of memory."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, _NICE)
        if sys.platform == "linux":
            descriptor = os.open(f"/proc/{pid}/oom_score_adj", os.O_WRONLY)
            try:
                os.write(descriptor, _OOM_SCORE)
            finally:
                os.close(descriptor)
    except OSError:
        pass
