"""Which processes there are, by /proc: what was started in a test carries a mark in its environment."""

from __future__ import annotations

import contextlib
import os
import select
from pathlib import Path

_PATIENCE_SECONDS = 20


def marked(mark: str) -> dict[int, str]:
    """Every living process that has this text in its environment, with its command line."""
    found = {}
    for directory in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if directory.name.isdigit() and mark.encode() in (directory / "environ").read_bytes():
                found[int(directory.name)] = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def wait_until_gone(pid: int) -> None:
    """Wait until this process, which may be anyone's child, has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ready, _, _ = select.select([descriptor], [], [], _PATIENCE_SECONDS)
    os.close(descriptor)
    assert ready, f"process {pid} is still there"
