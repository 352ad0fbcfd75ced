"""Answers of AWS with one value wrong: missing, null, of another type, or huge."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from typing import Any

import urllib3
from botocore.awsrequest import AWSResponse, HeadersDict

_MISSING = object()
_WRONG: tuple[Any, ...] = (
    _MISSING,
    None,
    7,
    -1,
    1.5,
    10**400,
    True,
    "x",
    "",
    "9" * 5_000,
    "y" * 100_000,
    [],
    [7],
    {},
    {"a": {"b": None}},
)


def mutations(answer: Any) -> Iterator[tuple[str, Any]]:
    """Yield the answer again and again, each time with one value in it wrong, and which one that is."""
    for path in _paths(answer):
        for wrong in _WRONG:
            mutated = copy.deepcopy(answer)
            at = mutated
            for step in path[:-1]:
                at = at[step]
            if wrong is _MISSING:
                del at[path[-1]]
            else:
                at[path[-1]] = wrong
            yield f"{path}: {str(wrong)[:20]}", mutated


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps: list[Any] = []
    if isinstance(value, dict | list):
        steps += value if isinstance(value, dict) else range(len(value))
    for step in steps:
        yield (*path, step)
        yield from _paths(value[step], (*path, step))


class Answers:
    """Answers every call of a client with the same body, without a network; the client reads it as AWS's."""

    def __init__(self, client: Any, body: bytes = b"{}", status: int = 200) -> None:
        self.body = body
        self.status = status
        client.meta.events.register("before-send", self._answer)

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        headers: Any = HeadersDict(
            {"content-type": "application/x-amz-json-1.1", "content-length": str(len(self.body))}
        )
        raw = urllib3.HTTPResponse(io.BytesIO(self.body), headers=headers, status=self.status, preload_content=False)
        return AWSResponse(request.url, self.status, headers, raw)
