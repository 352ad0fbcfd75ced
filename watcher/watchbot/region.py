"""The AWS Region that a watcher works in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

_REGION = r"([a-z]{2,}(?:-[a-z]+)+-\d+)"
_REGION_IN_HOST = re.compile(rf"(?:.+\.)?sqs(?:-fips)?\.{_REGION}\.|{_REGION}\.queue\.")
_OLDEST_HOST = "queue.amazonaws.com"
"""The host of us-east-1 before hosts named their Region.

https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
"""


def region_of(told: str | None, environment: Mapping[str, str], queue_url: str, *, in_ecs: bool) -> str | None:
    """Return the Region: the one of the settings, else of the container or the queue's URL; None where none names it.

    In ECS the container's ``AWS_REGION`` comes before the URL, because ECS knows where the task runs. Outside ECS the
    URL comes first: there the variable is a person's default, and the queue may be in another Region.
    """
    of_container = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    in_url = _region_in(queue_url)
    return told or (of_container or in_url if in_ecs else in_url or of_container) or None


def _region_in(queue_url: str) -> str | None:
    """Read the Region of a queue's host in any partition, of a VPC endpoint, or of the older ``REGION.queue`` form."""
    try:
        host = urlsplit(queue_url).hostname or ""
    except ValueError:
        return None
    if host == _OLDEST_HOST:
        return "us-east-1"
    found = _REGION_IN_HOST.match(host)
    return None if found is None else found[1] or found[2]
