"""What can go wrong with a job's progress, each with a text that says what to do about it."""

from __future__ import annotations


class ProgressError(Exception):
    """The root of what this package raises."""


class UnknownJobError(ProgressError):
    """The table has no such job: its total was never set, or it was deleted, or it has expired."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(f"there is no job {job_id!r} in the progress table: set its total first")


class OtherTotalError(ProgressError):
    """A job's total is set once: the same again changes nothing, another is refused."""

    def __init__(self, job_id: str, total: int, asked: int) -> None:
        self.job_id = job_id
        self.total = total
        super().__init__(
            f"job {job_id!r} has a total of {total}, and cannot get {asked}: delete it, or take another id"
        )


class InvalidValueError(ProgressError):
    """An argument that cannot be; the text names it, what was given and what is allowed."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name = name
        super().__init__(f"{name} must be {allowed}, got {_shown(value)}")


class TableError(ProgressError):
    """DynamoDB could not be reached, or refused."""


class NotPublishedError(ProgressError):
    """SNS could not be reached, or refused, or a message is too large for it."""


class JobFailed(ProgressError):  # noqa: N818 - the name that workers of ecs-watchbot catch
    """The job was failed before; a worker that catches this had better exit with 3, so that nothing is tried again."""

    def __init__(self, job_id: str, reason: str) -> None:
        self.job_id = job_id
        self.reason = reason
        super().__init__(f"job {job_id!r} has failed: {reason}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
