"""A job as its head item holds it, and where the bit of each of its parts is.

A job is one small head item, and up to 199 shards: items with a bit for each of their parts. Consecutive parts are in
different shards, so that parts that finish at the same time seldom write to the same item, and never all to one
partition of the table. The head knows which shards are still open, so that it alone says when everything is done.

What belongs to a job has the job's ``born`` in its key, which is unlike any other: whatever a deleted or expired job
leaves behind can never be taken for a part of a later one with the same id.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from watchbot.contract import PROGRESS_EXPIRY, PROGRESS_KEY
from watchbot.progress.errors import InvalidValueError
from watchbot.progress.item import Value

SHARDS = 199
"""So that all shards and the metadata are two calls of BatchGetItem, which takes 100 keys.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
A million parts are 5,026 bits a shard: an item of less than 1 KB, which is one write unit.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

MOST_PARTS = 10_000_000
"""A shard is then 6 KB; more would only make every write dearer."""

LONGEST_ID = 1024
"""Bytes of a job's id; a partition key holds 2,048.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

HEAD_PREFIX = "job:"


def head_key(job_id: str) -> str:
    """Give the key of a job's head item; raises :class:`InvalidValueError` for what cannot be an id."""
    try:
        size = len(job_id.encode()) if isinstance(job_id, str) else 0
    except UnicodeEncodeError:
        size = 0
    if not 1 <= size <= LONGEST_ID:
        raise InvalidValueError("the job's id", job_id, f"a text of 1 to {LONGEST_ID} bytes")
    return HEAD_PREFIX + job_id


def is_whole(value: object) -> bool:
    """Whether this is a whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def check_total(total: int) -> None:
    """Raise :class:`InvalidValueError` for what cannot be a number of parts."""
    if not is_whole(total) or not 1 <= total <= MOST_PARTS:
        raise InvalidValueError("total", total, f"a whole number from 1 to {MOST_PARTS}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is known of a job without looking at its parts.

    ``closed_by`` says which call closed a shard last, and ``closed_part`` which part had filled it; when no shard is
    open any more, that call and that part completed the job. ``published`` counts the parts whose messages were sent.
    """

    job_id: str
    born: str
    total: int
    created: int
    expires: int
    open: frozenset[int]
    closed_by: str | None = None
    closed_part: int | None = None
    error: str | None = None
    reduce_sent_by: str | None = None
    published: int = 0

    @classmethod
    def new(cls, job_id: str, born: str, total: int, created: int, expires: int) -> Job:
        """Give a job of which nothing is done yet."""
        shards = frozenset(range(min(total, SHARDS)))
        return cls(job_id=job_id, born=born, total=total, created=created, expires=expires, open=shards)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Job:
        """Read what :meth:`to_values` gave, after whatever updates."""
        return cls(
            job_id=values[PROGRESS_KEY].removeprefix(HEAD_PREFIX),
            born=values["born"],
            total=values["total"],
            created=values["created"],
            expires=values[PROGRESS_EXPIRY],
            open=values.get("open", frozenset()),
            closed_by=values.get("closedBy"),
            closed_part=values.get("closedPart"),
            error=values.get("error"),
            reduce_sent_by=values.get("reduceSentBy"),
            published=values.get("published", 0),
        )

    def to_values(self) -> dict[str, Value]:
        """Give the head item of a new job."""
        return {
            PROGRESS_KEY: head_key(self.job_id),
            "born": self.born,
            "total": self.total,
            "created": self.created,
            PROGRESS_EXPIRY: self.expires,
            "open": self.open,
        }

    @property
    def complete(self) -> bool:
        """Whether every part is done, and the head was told so."""
        return not self.open

    @property
    def metadata_key(self) -> str:
        """The key of the item that holds the metadata."""
        return f"metadata:{self.born}"

    @property
    def shard_keys(self) -> list[str]:
        """The keys of all shards, in order; a shard is created with the first of its parts that is done."""
        return [self.shard_key(shard) for shard in range(min(self.total, SHARDS))]

    def shard_key(self, shard: int) -> str:
        """Give the key of one shard."""
        return f"{shard}:{self.born}"

    def place_of(self, part: int) -> tuple[int, int]:
        """Give the shard and the bit of a part; raises :class:`InvalidValueError` when the job has no such part."""
        if not is_whole(part) or not 1 <= part <= self.total:
            raise InvalidValueError(f"a part of job {self.job_id!r}", part, f"a whole number from 1 to {self.total}")
        bit, shard = divmod(part - 1, min(self.total, SHARDS))
        return shard, bit

    def parts_in(self, shard: int) -> int:
        """How many parts a shard has."""
        return (self.total - shard - 1) // min(self.total, SHARDS) + 1
