"""The watcher's own process, closed to the jobs that run as the same user."""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def close_to_workers() -> None:
    """Close this process's environment, memory and descriptors to other processes of its user; on Linux only.

    What /proc shows of a process that is not dumpable belongs to root, and nobody may trace it or read its memory
    without CAP_SYS_PTRACE, which containers of ECS lack unless the task definition adds it. A program that is started
    from here is dumpable again. Signals and prlimit(2) of the same user stay possible.

    https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html
    https://man7.org/linux/man-pages/man2/ptrace.2.html
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
