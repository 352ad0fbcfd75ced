"""A watcher's process as a job of the same user finds it; root may read everything, so both are another user."""

from __future__ import annotations

import os
import sys

import pytest

from watchbot.own_process import close_to_workers

JOB = """
import os, sys
watcher = os.getppid()
for name in ("environ", "mem", "fd/1", "maps"):
    try:
        descriptor = os.open(f"/proc/{watcher}/{name}", os.O_WRONLY if name == "fd/1" else os.O_RDONLY)
        name in ("mem", "fd/1") or os.read(descriptor, 1)
        print("open", name)
    except PermissionError:
        print("closed", name)
print("own", "open" if os.access("/proc/self/environ", os.R_OK) else "closed")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
@pytest.mark.parametrize("closed", [True, False])
def test_a_job_of_the_same_user_reads_nothing_of_its_watcher(closed: bool) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to run as another user")

    def work() -> None:
        os.setgroups([])
        os.setgid(40001)
        os.setuid(40001)
        # Changing the user takes away what exec gives back.
        import ctypes

        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
        if closed:
            close_to_workers()
        os.listdir("/dev/fd")  # noqa: PTH208 - what the watcher itself still does
        os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)
        spawned = os.posix_spawn("/usr/bin/env", ["env", "python3", "-c", JOB], {"PATH": "/usr/bin:/bin"})
        os._exit(os.waitstatus_to_exitcode(os.waitpid(spawned, 0)[1]))

    reading, writing = os.pipe()
    os.fchown(writing, 40001, 40001)
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        try:
            work()
        finally:
            os._exit(99)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read().splitlines()
    assert os.waitpid(child, 0)[1] == 0
    state = "closed" if closed else "open"
    assert said == [*(f"{state} {name}" for name in ("environ", "mem", "fd/1", "maps")), "own open"]
