"""What two tellings of the same trouble have in common."""

from __future__ import annotations

import re

_PASSING = re.compile(
    r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"  # a request
    r"|\b[0-9a-f]{32}\b"  # a task, which is also the name of its role's session
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?"  # an address
    r"|\bi-[0-9a-f]{8,17}\b",  # an instance
    re.IGNORECASE,
)


def cause_of(text: str) -> str:
    """Leave the ids of requests, tasks, instances and connections out of a text.

    A missing permission has as many texts as there are tasks, since AWS names the session and the request in each.
    """
    return _PASSING.sub("…", text)
