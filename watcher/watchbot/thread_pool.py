"""Thread pools whose threads are there from the start."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor


def thread_pool(threads: int, name: str) -> ThreadPoolExecutor:
    """Return a pool with all its threads started.

    Python starts one when it is first needed. In a container that a job has filled with processes none can be started,
    and no result could be settled. Where that is so already, threads are started when they can be.
    """
    pool = ThreadPoolExecutor(threads, name)
    all_started = threading.Event()
    with contextlib.suppress(RuntimeError):
        for _ in range(threads):
            pool.submit(all_started.wait)
    all_started.set()
    return pool
