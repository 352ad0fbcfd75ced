"""Batches as SQS and SNS take them: at most ten, and not too many bytes together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")

BATCH = 10
"""Entries that one call takes, of SQS as of SNS."""


def batches(items: Iterable[_T], size_of: Callable[[_T], int], size_limit: int) -> Iterator[list[_T]]:
    """Put items together in their order; one that is too large by itself is alone, and for AWS to refuse."""
    batch: list[_T] = []
    size = 0
    for item in items:
        if batch and (len(batch) == BATCH or size + size_of(item) > size_limit):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += size_of(item)
    if batch:
        yield batch
