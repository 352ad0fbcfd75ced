"""The runtime of Watchbot: the watcher, and what workers may import.

Data flows one way: a message is received (:mod:`watchbot.work_queue`), opened into a job
(:mod:`watchbot.opener`), run (:mod:`watchbot.runner`), and settled (:mod:`watchbot.settlement`);
:mod:`watchbot.watcher` is the coroutine that reads so from top to bottom.
"""

from __future__ import annotations

__version__ = "0.1.0"
