"""``python -m bench.scaling.real.compressed_watcher MOMENT SCALE listen -- …``: a watcher that begins at a moment.

It is the real one. Its process is there earlier, so that how long Python takes to start, which is long in compressed
time, is part of the task's start. Of its own times those are compressed, as all else is, that take part in scaling:
protection, a poll, which it waits for before it ends, and the pause in which deletes are gathered.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from watchbot import listen, protection, work_queue
from watchbot.__main__ import main

_TIMES = (
    (protection, "_RENEW_SECONDS"),
    (protection, "_RELEASE_SECONDS"),
    (protection, "_LOOK_SECONDS"),
    (work_queue, "_LINGER_SECONDS"),
)


def watch(moment: float, scale: float, arguments: Sequence[str]) -> int:
    for module, name in _TIMES:
        setattr(module, name, getattr(module, name) * scale)
    listen.POLL_SECONDS = max(1, round(listen.POLL_SECONDS * scale))  # type: ignore[attr-defined] # SQS takes whole seconds
    print("late", max(0.0, time.time() - moment), file=sys.stderr, flush=True)
    time.sleep(max(0.0, moment - time.time()))
    return main(arguments)


if __name__ == "__main__":
    exit_code = watch(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
    sys.stdout.flush()
    os._exit(exit_code)  # as the watcher itself does: a long poll that is open would be waited for
