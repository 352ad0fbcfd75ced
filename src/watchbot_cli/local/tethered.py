"""Runs a module in a process that ends with the one that started it, however that one ended.

``python -m watchbot_cli.local.tethered MODULE ARG…``: standard input is the tether, a pipe of which only the parent
holds the other end.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

_PATIENCE_SECONDS = 15.0


def _follow_parent() -> None:
    """Wait for the end of the pipe; then ask to stop, ask to hurry, and insist."""
    os.read(0, 1)
    for pause in (0.5, _PATIENCE_SECONDS):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(pause)
    os._exit(1)


def _tie() -> None:
    """Follow the parent in a thread that takes no signal: what the program does with one is its own business."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    threading.Thread(target=_follow_parent, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


if __name__ == "__main__":
    _tie()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
