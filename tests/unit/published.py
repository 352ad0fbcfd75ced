"""A topic that keeps what is published to it, or does not take it."""

from __future__ import annotations

import json
import threading
from typing import Any

TOPIC = "arn:aws:sns:eu-central-1:111122223333:work"


class Sns:
    """Keeps what is published; ``fails`` says for a message how often it is put off, or "refused"."""

    def __init__(self) -> None:
        self.entries: list[dict[str, str]] = []
        self.batches: list[int] = []
        self.fails: dict[int, Any] = {}
        self._lock = threading.Lock()

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: list[dict[str, str]]) -> Any:  # noqa: N803
        with self._lock:
            self.batches.append(len(PublishBatchRequestEntries))
            failed = [one for one in PublishBatchRequestEntries if self._fails(one)]
            self.entries += [one for one in PublishBatchRequestEntries if one not in failed]
        refused = "refused" in self.fails.values()
        return {"Failed": [{"Id": one["Id"], "Code": "InternalError", "SenderFault": refused} for one in failed]}

    def _fails(self, entry: dict[str, str]) -> bool:
        part = json.loads(entry["Message"]).get("partid")
        left = self.fails.get(part, 0)
        if isinstance(left, int):
            self.fails[part] = max(0, left - 1)
        return bool(left)

    @property
    def messages(self) -> list[Any]:
        return sorted((json.loads(one["Message"]) for one in self.entries), key=lambda one: one.get("partid", 0))
