"""``python -m bench.scaling.real.compressed_watcher MOMENT SCALE listen -- …``: a watcher that begins at a moment.

It is the real one. Its process is there earlier, so that how long Python takes to start, which is long in compressed
time, is part of the task's start; and its three times of protection are compressed as all else is.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

import watchbot.listen  # noqa: F401 - before the moment, not after it
from watchbot import protection
from watchbot.__main__ import main


def watch(moment: float, scale: float, arguments: Sequence[str]) -> int:
    for name in ("_RENEW_SECONDS", "_RELEASE_SECONDS", "_LOOK_SECONDS"):
        setattr(protection, name, getattr(protection, name) * scale)
    time.sleep(max(0.0, moment - time.time()))
    return main(arguments)


if __name__ == "__main__":
    exit_code = watch(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
    sys.stdout.flush()
    os._exit(exit_code)  # as the watcher itself does: a long poll that is open would be waited for
