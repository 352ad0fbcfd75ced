"""Removing what a job has left on disk, whatever it has made of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat


def remove_tree(path: str) -> None:
    """Remove a directory with everything in it; what cannot be removed stays, and nothing is raised.

    Directories within are renamed to beside ``path`` before they are looked into, so that no depth is too deep, and
    opened for us first, because their owner may have closed them. Links are removed, never followed: ``path`` itself
    may have become one, to anywhere.
    """
    if not stat.S_ISDIR(_mode(path)):
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - beside the calls below, on strings
        return
    numbers = itertools.count(1)
    pending = [path]
    while pending:
        directory = pending.pop()
        with contextlib.suppress(OSError):
            os.chmod(directory, 0o700)  # noqa: PTH101 - beside the calls below, on strings
            with os.scandir(directory) as entries:
                found = list(entries)
            for entry in found:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        os.chmod(entry.path, 0o700)  # noqa: PTH101 - a directory of other mode cannot be moved
                        beside = f"{path}.{next(numbers)}"
                        os.rename(entry.path, beside)  # noqa: PTH104
                        pending.append(beside)
                    else:
                        os.unlink(entry.path)  # noqa: PTH108
            os.rmdir(directory)  # noqa: PTH106


def _mode(path: str) -> int:
    with contextlib.suppress(OSError):
        return os.lstat(path).st_mode
    return 0
