"""Requests to what ECS offers inside a container: its agent and the task's metadata."""

from __future__ import annotations

import contextlib
import http.client
import urllib.parse

from watchbot.deadline import uses

_MOST_BYTES = 1 << 20


class EndpointError(Exception):
    """The endpoint did not answer."""


def ask(url: str, seconds: float, *, method: str = "GET", body: bytes | None = None) -> bytes:
    """Return the body of the answer, whatever its status; raises :class:`EndpointError`.

    No proxy lies between a container and its agent, so none is used. At most a megabyte is read.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=seconds)
        with contextlib.closing(connection):
            connection.connect()
            uses(connection.sock)
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers)
            response = connection.getresponse()
            answer = response.read(_MOST_BYTES)
            if response.length:
                raise EndpointError(f"{response.length} bytes of its answer are missing, or too many")
            return answer
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise EndpointError(f"{error!r}") from error
