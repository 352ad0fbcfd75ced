"""Reading again and again, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from watchbot_cli.status.snapshot import Snapshot
from watchbot_cli.top.seen import Seen


class Watch:
    """Reads so often; the thread dies with the program, whatever AWS lets it wait for."""

    def __init__(self, read: Callable[[], Snapshot], every_seconds: float) -> None:
        self._read = read
        self._every_seconds = every_seconds
        self._seen: Seen | None = None
        self._error: Exception | None = None

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def seen(self) -> Seen | None:
        """What was seen so far; raises what has ended the reading."""
        if self._error is not None:
            raise self._error
        return self._seen

    def _run(self) -> None:
        try:
            while True:
                newer = self._read()
                self._seen = Seen.first(newer) if self._seen is None else self._seen.then(newer)
                time.sleep(self._every_seconds)
        except Exception as error:  # noqa: BLE001 - it is raised where the reading is looked at
            self._error = error
