"""The processes below this one, as /proc shows them: Linux only.

https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
from collections import defaultdict
from collections.abc import Iterable, Mapping

_PARENT = 1
_STARTED = 19


@dataclasses.dataclass(frozen=True, slots=True)
class Process:
    """A process; together with the time of its start its number belongs to no other."""

    pid: int
    started: int
    parent: int = dataclasses.field(compare=False)

    def signal(self, number: int) -> bool:
        """Send it a signal, unless its number has become another's; False where that is not permitted."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        except OSError:
            # No descriptor is free, or the kernel is older than 5.3.
            return _kill(self.pid, number) if read_process(self.pid) == self else True
        try:
            if read_process(self.pid) == self:
                signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        finally:
            os.close(descriptor)
        return True


def children_by_parent() -> Mapping[int, list[Process]]:
    """Return all processes there are by the number of their parent."""
    children: defaultdict[int, list[Process]] = defaultdict(list)
    for name in os.listdir("/proc"):  # noqa: PTH208 - as fast as can be: a fork bomb does not wait
        if name.isdecimal():
            process = read_process(int(name))
            if process is not None:
                children[process.parent].append(process)
    return children


def with_descendants(processes: Iterable[Process], children: Mapping[int, list[Process]]) -> list[Process]:
    """Return these processes and all below them."""
    found = list(processes)
    for process in found:
        found += children.get(process.pid, ())
    return found


def read_process(pid: int) -> Process | None:
    """Read what /proc says of a process; None where it has none of this number."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - as above
            # The name before it, in brackets, may hold anything.
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Process(pid, int(fields[_STARTED]), int(fields[_PARENT]))


def has_variable(pid: int, variables: Iterable[bytes]) -> bytes | None:
    """Return the first of these NAME=value that the process was started with; None for none, or where it is closed."""
    environment = b""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - as above
        environment = b"\0" + file.read() + b"\0"
    return next((one for one in variables if b"\0" + one + b"\0" in environment), None)


def _kill(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return True
