"""Single keys of a terminal, which is given back as it was."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from types import TracebackType


class Keyboard:
    """Reads keys without Enter and without showing them, in the ``with`` block; Ctrl-C still interrupts."""

    def __enter__(self) -> Keyboard:
        self._input = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._input)
        tty.setcbreak(self._input)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)

    def key(self, seconds: float) -> str | None:
        """Wait so long for a key: None when there was none, and nothing when the terminal is gone."""
        ready, _, _ = select.select([self._input], [], [], seconds)
        if not ready:
            return None
        try:
            return os.read(self._input, 1).decode(errors="replace")
        except OSError:
            return ""
