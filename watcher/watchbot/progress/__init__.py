"""For workers: jobs that are made of parts, done by many workers, and put together when the last part is done.

:func:`map_reduce` starts a job, :class:`Part` does one part of it, and :class:`Progress` is what both are made of.
``watchbot-progress`` is the same as a command.
"""

from watchbot.progress.errors import (
    InvalidValueError,
    JobFailed,
    NotPublishedError,
    OtherTotalError,
    ProgressError,
    TableError,
    UnknownJobError,
)
from watchbot.progress.part import Part
from watchbot.progress.progress import Progress
from watchbot.progress.publishing import map_reduce
from watchbot.progress.status import JobSummary, Status

__all__ = [
    "InvalidValueError",
    "JobFailed",
    "JobSummary",
    "NotPublishedError",
    "OtherTotalError",
    "Part",
    "Progress",
    "ProgressError",
    "Status",
    "TableError",
    "UnknownJobError",
    "map_reduce",
]
