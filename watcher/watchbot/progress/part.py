"""Doing one part of a job: it is completed, or fails the job, and the last one sends the reduce message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from watchbot.progress.convention import JOB_FIELD, METADATA_FIELD, OUR_FIELDS, PART_FIELD, reduce_message
from watchbot.progress.errors import InvalidValueError, JobFailed
from watchbot.progress.progress import Progress
from watchbot.progress.topic import Topic


class Part:
    """A context in which one part is done: ``with Part(json.loads(os.environ["Message"])) as part``.

    ``message`` is what the ``map`` message says, whatever the part's own fields are called; they are in ``fields``.
    Entering it raises :class:`JobFailed` when the job was failed. Leaving it without an exception, or with the exit
    code 0, completes the part. The part that makes the job complete publishes a message with the subject ``reduce``,
    or calls ``on_reduce`` with the job's id and metadata instead, and then notes that it was sent. If it dies before
    that, its message comes back, and doing the part again sends it. The message comes twice if the worker died after
    it was sent and before that was noted, or if two workers did that very part at the same time.

    An exception is never swallowed; one of the types in ``fail_job_on`` fails the job with what it says. A job that was
    failed meanwhile has no reduce message.
    """

    def __init__(
        self,
        message: Mapping[str, Any],
        *,
        fail_job_on: type[BaseException] | tuple[type[BaseException], ...] = (),
        on_reduce: Callable[[str, Mapping[str, Any]], object] | None = None,
        progress: Progress | None = None,
        topic: Topic | None = None,
    ) -> None:
        if not isinstance(message, Mapping) or not {JOB_FIELD, PART_FIELD} <= message.keys():
            raise InvalidValueError("message", message, f"a JSON object with {JOB_FIELD} and {PART_FIELD}")
        metadata = message.get(METADATA_FIELD) or {}
        if not isinstance(metadata, Mapping):
            raise InvalidValueError(METADATA_FIELD, metadata, "a JSON object")
        self.job_id: str = message[JOB_FIELD]
        self.part: int = message[PART_FIELD]
        self.metadata: dict[str, Any] = dict(metadata)
        self.fields = {name: value for name, value in message.items() if name not in OUR_FIELDS}
        self._fail_job_on = fail_job_on
        self._on_reduce = on_reduce
        self._progress = Progress() if progress is None else progress
        self._topic = topic

    def __enter__(self) -> Self:
        job = self._progress.job(self.job_id)
        job.place_of(self.part)
        if job.error is not None:
            raise JobFailed(self.job_id, job.error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        # Who exits with 0 says that the job succeeded: its message is deleted, so that nobody would do the part again.
        if error is None or (isinstance(error, SystemExit) and _is_success(error.code)):
            self.complete()
        elif isinstance(error, self._fail_job_on):
            self._progress.fail_job(self.job_id, f"part {self.part}: {type(error).__name__}: {error}")

    def complete(self) -> bool:
        """Complete the part, as the end of the block does; true when the reduce message was sent by this call."""
        done = self._progress.completion(self.job_id, self.part)
        # Not whoever is told that it was the last: that may be a late copy of a message that does not come back.
        sends = done.completed_by_part and not done.reduce_sent and not done.failed
        if sends:
            self._send_reduce()
        return sends

    def _send_reduce(self) -> None:
        metadata = self._progress.status(self.job_id).metadata or {}
        if self._on_reduce is not None:
            self._on_reduce(self.job_id, metadata)
        else:
            topic = Topic.of_arn() if self._topic is None else self._topic
            topic.publish([reduce_message(self._progress.job(self.job_id), metadata)])
        self._progress.reduce_sent(self.job_id)


def _is_success(code: object) -> bool:
    """Whether Python exits with 0: an empty text, as of an error that says nothing, is printed, and the code is 1.

    https://docs.python.org/3/library/sys.html#sys.exit
    """
    return code is None or (isinstance(code, int) and code == 0)
