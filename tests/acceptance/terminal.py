"""A command in a terminal, where it asks and a person answers."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

_PATIENCE_SECONDS = 60


class Terminal:
    """Runs a command with a pseudo-terminal as all its streams; killed at the end of the ``with`` block.

    It says to be 200 columns wide, or is ``columns`` wide until it is resized.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], columns: int | None = None) -> None:
        self._command = command
        self._columns = columns
        kept = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
        self._environment = {**kept, "TERM": "xterm"} | ({"COLUMNS": "200"} if columns is None else {})
        self.seen = ""

    def __enter__(self) -> Terminal:
        self._ours, theirs = pty.openpty()
        if self._columns is not None:
            self.resizes(self._columns)
        self._process = subprocess.Popen(
            # Whoever leads a session has the first terminal that it opens to take Ctrl-C from.
            ["sh", "-c", 'exec <>"$0" >&0 2>&0 && exec "$@"', os.ttyname(theirs), *self._command],
            env=self._environment,
            stdin=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def answers(self, question: str, answer: str) -> str:
        """Wait for a question and type an answer; gives what was shown before."""
        shown = self.shows(question)
        self.types(answer)
        return shown

    def types(self, answer: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{answer}\n".encode())

    def presses(self, key: str) -> None:
        """Press a key, without Enter."""
        os.write(self._ours, key.encode())

    def resizes(self, columns: int) -> None:
        """Become so wide."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))

    @property
    def echoes(self) -> bool:
        """Whether it shows what is typed, as a terminal does that no program has taken over."""
        return bool(termios.tcgetattr(self._ours)[3] & termios.ECHO)

    def presses_ctrl_c(self, question: str) -> None:
        """Wait for a question, and interrupt."""
        self.shows(question)
        os.write(self._ours, b"\x03")

    def interrupts(self, question: str) -> None:
        """Interrupt a command that waits for an answer.

        Python does not notice between its last look for signals and the read, so nobody could tell what is to come.
        """
        self.shows(question)
        until, pause = time.monotonic() + _PATIENCE_SECONDS, threading.Event()
        while not Path(f"/proc/{self._process.pid}/syscall").read_text().startswith("0 0x0 "):
            assert time.monotonic() < until, f"nothing reads an answer to {question!r}"
            pause.wait(0.01)
        os.write(self._ours, b"\x03")

    def shows(self, text: str) -> str:
        """Wait for a text; gives what was shown up to it."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while text not in self.seen:
            ready, _, _ = select.select([self._ours], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"{text!r} does not come after:\n{self.seen}"
            assert self._read(), f"it ended without {text!r}:\n{self.seen}"
        before, _, self.seen = self.seen.partition(text)
        return before

    def ends(self) -> tuple[int, str]:
        """Wait for the end; gives the exit code and what was shown."""
        while self._read():
            pass
        return self._process.wait(_PATIENCE_SECONDS), self.seen

    def _read(self) -> bool:
        try:
            data = os.read(self._ours, 65_536)
        except OSError:  # the other end has closed
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)
