"""What people and programs are told of a job."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a job is.

    ``progress`` is from 0 to 1, rounded down to hundredths, so that it is 1 only when every part is done; it is 0 for
    a job that the table does not know. ``total`` is how many parts the job has, and ``remaining`` how many of them are
    not done. ``failed`` is the reason of a failed job. ``part_complete`` is of the part that was asked for, else None.
    """

    progress: float
    total: int | None = None
    remaining: int | None = None
    failed: str | None = None
    metadata: Mapping[str, Any] | None = None
    part_complete: bool | None = None
    reduce_sent: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give what ``watchbot-progress status`` prints; what is not known is left out."""
        whole = self.progress.is_integer()
        found: dict[str, Any] = {"progress": int(self.progress) if whole else self.progress}
        if self.total is not None:
            found |= {"total": self.total, "remaining": self.remaining}
        if self.failed is not None:
            found["failed"] = self.failed
        if self.metadata is not None:
            found["metadata"] = self.metadata
        if self.part_complete is not None:
            found["partComplete"] = self.part_complete
        if self.reduce_sent:
            found["reduceSent"] = True
        return found


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What became of a job when one of its parts was completed.

    ``last`` is true for exactly one call: the one that made the job complete. ``completed_by_part`` says that it was
    this part that made it complete, by this call or another: its message cannot be deleted before a call of it was told
    so. ``failed`` says that the job was failed before.
    """

    last: bool
    complete: bool
    completed_by_part: bool
    failed: bool
    reduce_sent: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """A line of the list of jobs; ``created`` is in seconds since 1970."""

    job_id: str
    total: int
    complete: bool
    failed: str | None
    reduce_sent: bool
    created: int

    def as_json(self) -> dict[str, Any]:
        """Give what ``watchbot-progress list`` prints."""
        found: dict[str, Any] = {"job": self.job_id, "total": self.total, "complete": self.complete}
        if self.failed is not None:
            found["failed"] = self.failed
        return {**found, "reduceSent": self.reduce_sent, "created": self.created}
