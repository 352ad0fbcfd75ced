"""What a process has used so far, as Linux counts it."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_USER_TIME, _OF_CHILDREN = 13, 17
"""Fields of /proc/PID/stat, counted from 0: utime, stime, cutime, cstime. See proc_pid_stat(5)."""


def cpu_seconds(pid: int) -> float:
    """Give the processor time of a process and of all its children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[_USER_TIME - 2 : _OF_CHILDREN - 2])) / _TICKS


def peak_bytes(pid: int) -> int:
    """Give the most memory that was resident at once."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} has ended")


def threads(pid: int) -> int:
    """Count a process's threads."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
