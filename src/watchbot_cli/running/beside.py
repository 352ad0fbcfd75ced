"""A job in a process beside us, which has our terminal."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from watchbot.message import Message
from watchbot_cli.errors import CommandError
from watchbot_cli.running.given import to_json


class Beside:
    """Runs the job of this message in a process whose files are in ``folder``, and the worker's in ``scratch``.

    ``own_input`` says that our standard input is not for the worker, which reads the terminal instead.
    """

    def __init__(self, message: Message, folder: Path, scratch: Path, *, own_input: bool) -> None:
        self.scratch = scratch
        self._message = message
        self._folder = folder
        self._own_input = own_input

    def run(self, command: Sequence[str], directory: Path | None, environment: Mapping[str, str]) -> dict[str, Any]:
        """Run it and give what came of it; raises :class:`CommandError` when the process ends without an answer."""
        message_file, answer_file = self._folder / "message.json", self._folder / "answer.json"
        message_file.write_text(to_json(self._message))
        reading, writing = os.pipe()
        arguments = [str(message_file), str(answer_file), str(reading), "--", *command]
        try:
            with _worker_input(own_input=self._own_input) as source, _Signals() as signals:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "watchbot_cli.running.job_process", *arguments],
                    cwd=directory,
                    env={**environment, "TMPDIR": str(self.scratch)},
                    stdin=source,
                    pass_fds=(reading,),
                )
                signals.pass_on_to(process)
                exit_code = process.wait()
        finally:
            os.close(writing)
            os.close(reading)
        if not answer_file.is_file():
            raise CommandError(f"the process of the job has ended with {exit_code} and without an answer")
        answer: dict[str, Any] = json.loads(answer_file.read_text())
        return answer


@contextlib.contextmanager
def _worker_input(*, own_input: bool) -> Iterator[int | None]:
    """Give what the worker reads; None is what we read ourselves."""
    if not own_input:
        yield None
        return
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        terminal = os.open(os.devnull, os.O_RDONLY)
    try:
        yield terminal
    finally:
        os.close(terminal)


class _Signals:
    """Leaves Ctrl-C to the worker, which gets it from the terminal as we do, and passes on what only we get."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_asked = False

    def __enter__(self) -> _Signals:
        self._before = {number: signal.signal(number, self._heed) for number in (signal.SIGTERM, signal.SIGHUP)}
        self._before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_on_to(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on to this process from here on, and what came before."""
        self._process = process
        if self._is_asked:
            process.send_signal(signal.SIGTERM)

    def _heed(self, number: int, frame: FrameType | None) -> None:
        self._is_asked = True
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
