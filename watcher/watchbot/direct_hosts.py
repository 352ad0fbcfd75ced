"""Hosts that are called without the proxy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from botocore.httpsession import URLLib3Session

from watchbot.deadline import hold_to_deadlines


class DirectHosts:
    """Sends the requests of one client to these hosts past its proxy.

    A name covers its subdomains, with or without a dot before it, and ``*`` covers every host. botocore takes
    exceptions to a proxy only from the environment, and decides once for each client by the service's host: a bucket's
    own host would never count.
    """

    def __init__(self, names: Iterable[str], config: Any, verify: str | None) -> None:
        self._names = tuple(name.lower().removeprefix("*.").lstrip(".") for name in names)
        session: Any = URLLib3Session
        self._session = session(
            verify=True if verify is None else verify,
            timeout=(config.connect_timeout, config.read_timeout),
            max_pool_connections=config.max_pool_connections,
        )
        hold_to_deadlines(self._session)

    def __call__(self, request: Any, **_: object) -> Any:
        """Send a request at botocore's event ``before-send``; None leaves it to the proxy."""
        host = urlsplit(request.url).hostname or ""
        return self._session.send(request) if self._covers(host) else None

    def _covers(self, host: str) -> bool:
        return any(name == "*" or host == name or host.endswith(f".{name}") for name in self._names)
