"""The progress of jobs that are made of parts: which parts are done, and who completed the last of them."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from watchbot.contract import PROGRESS_EXPIRY, PROGRESS_KEEP_SECONDS, PROGRESS_VARIABLE
from watchbot.progress import bitmap
from watchbot.progress.errors import InvalidValueError, OtherTotalError, UnknownJobError
from watchbot.progress.item import Value
from watchbot.progress.job import HEAD_PREFIX, Job, check_total, head_key
from watchbot.progress.metadata import as_texts, check_size, metadata_of
from watchbot.progress.status import Completion, JobSummary, Status
from watchbot.progress.table import Table

REASON_LIMIT = 2048
"""Characters of a failed job's reason that are kept."""

_THERE = f"#{PROGRESS_EXPIRY} > :now"
"""The condition that a head is there, and has not expired."""


class Progress:
    """The jobs of one table, which threads may share.

    ``table`` is the table's ARN, by default what the environment variable ``ProgressTable`` says. A job and its parts
    are kept for 30 days after its total was set. Every method raises :class:`TableError` when DynamoDB cannot be
    reached or refuses, after ten tries, and :class:`UnknownJobError` for a job whose total was never set.
    """

    def __init__(self, table: str | Table | None = None, *, clock: Callable[[], float] = time.time) -> None:
        if table is None:
            table = os.environ.get(PROGRESS_VARIABLE)
        if table is None:
            raise InvalidValueError(PROGRESS_VARIABLE, None, "set in the environment, to the ARN of a progress table")
        self._table = Table.of_arn(table) if isinstance(table, str) else table
        self._clock = clock
        self._lock = threading.Lock()
        self._unanswered: dict[tuple[str, object], list[str]] = {}

    def set_total(self, job_id: str, total: int) -> None:
        """Create a job of parts 1 to ``total``; the same again changes nothing.

        Raises :class:`OtherTotalError` when the job has another total, whatever was done of it.
        """
        check_total(total)
        now = int(self._clock())
        job = Job.new(job_id, uuid.uuid4().hex, total, now, now + PROGRESS_KEEP_SECONDS)
        condition = f"attribute_not_exists(#id) OR #{PROGRESS_EXPIRY} <= :now"
        created, there = self._table.put(job.to_values(), condition, {":now": now})
        if not created and there is not None and there["total"] != total:
            raise OtherTotalError(job_id, there["total"], total)

    def complete_part(self, job_id: str, part: int) -> bool:
        """Note that a part is done; true for the one call that makes the job complete, and for no other.

        A part may be completed any number of times, by any number of callers at once. A caller that gets an error may
        call again with this same object, and is told what it would have been told the first time.
        """
        return self.completion(job_id, part).last

    def completion(self, job_id: str, part: int) -> Completion:
        """Do what :meth:`complete_part` does, and say more about the job as it is then."""
        with self._tokens(job_id, part) as tokens:
            job = self.job(job_id)
            shard, bit = job.place_of(part)
            filled_by = self._set_bit(job, shard, bit, part) if shard in job.open else None
            if filled_by is not None:
                job = self._close(job, shard, filled_by, tokens[0])
            return Completion(
                last=job.complete and job.closed_by in tokens,
                complete=job.complete,
                completed_by_part=job.complete and job.closed_part == part,
                failed=job.error is not None,
                reduce_sent=job.reduce_sent_by is not None,
            )

    def status(self, job_id: str, part: int | None = None) -> Status:
        """Say how far a job is; with ``part``, also whether that part is done.

        At most four reads, all strongly consistent: every part that was completed before the call is counted.
        """
        job = self._known(job_id)
        if job is None:
            return Status(progress=0.0)
        place = None if part is None else job.place_of(part)
        shards = [] if job.complete else job.shard_keys
        items = self._table.get_many([job.metadata_key, *shards])
        bitmaps = {key: items[key]["bits"] for key in shards if key in items}
        done = job.total if job.complete else sum(map(bitmap.count, bitmaps.values()))
        return Status(
            progress=done * 100 // job.total / 100,
            total=job.total,
            remaining=job.total - done,
            failed=job.error,
            metadata=metadata_of(items.get(job.metadata_key, {})),
            part_complete=None if place is None else job.complete or _is_done(job, bitmaps, *place),
            reduce_sent=job.reduce_sent_by is not None,
        )

    def pending(self, job_id: str) -> Iterator[int]:
        """Go through the parts of a job that are not done, in order, as they are now; it costs what a status costs."""
        job = self.job(job_id)
        items = {} if job.complete else self._table.get_many(job.shard_keys)
        bitmaps = {key: item["bits"] for key, item in items.items()}
        parts = range(1, 1 if job.complete else job.total + 1)
        return (part for part in parts if not _is_done(job, bitmaps, *job.place_of(part)))

    def set_metadata(self, job_id: str, metadata: Mapping[str, Any]) -> None:
        """Keep values with a job, each under its key; keys that are not named keep what they have.

        Every message of the reduce takes all of it along: raises :class:`InvalidValueError` when it would be more than
        65,536 bytes as JSON, or more than 100 keys are set at a time.
        """
        texts = as_texts(metadata)
        job = self.job(job_id)
        names = {f"#k{number}": name for number, name in enumerate(texts)}
        values = {f":v{number}": text for number, text in enumerate(texts.values())}
        setting = "".join(f", {name} = {value}" for name, value in zip(names, values, strict=True))
        item = self._table.get(job.metadata_key)
        held = False
        while not held:
            check_size({**(item or {}), **texts})
            changes = 0 if item is None else item["changes"]
            given: dict[str, Value] = {":expires": job.expires, ":changes": changes + 1, **values}
            condition = "attribute_not_exists(#id)" if item is None else "#changes = :old"
            if item is not None:
                given[":old"] = changes
            change = f"SET #{PROGRESS_EXPIRY} = :expires, #changes = :changes{setting}"
            held, item = self._table.update(job.metadata_key, change, condition, given, names)

    def fail_job(self, job_id: str, reason: str) -> None:
        """Mark a job as failed; the newest reason counts, of which 2,048 characters are kept."""
        if not isinstance(reason, str) or not reason:
            raise InvalidValueError("reason", reason, "a text that is not empty")
        # A reason may quote a file's name, which need not be UTF-8; that is not to keep the job from failing.
        text = reason[:REASON_LIMIT].encode(errors="replace").decode()
        given: dict[str, Value] = {":error": text, ":now": int(self._clock())}
        held, _ = self._table.update(head_key(job_id), "SET #error = :error", _THERE, given)
        if not held:
            raise UnknownJobError(job_id)

    def reduce_sent(self, job_id: str) -> bool:
        """Note that the job's reduce message was sent; true for the first call, and for no other."""
        with self._tokens(job_id, "reduce") as tokens:
            condition = f"{_THERE} AND attribute_not_exists(#reduceSentBy)"
            given: dict[str, Value] = {":token": tokens[0], ":now": int(self._clock())}
            held, there = self._table.update(head_key(job_id), "SET #reduceSentBy = :token", condition, given)
            if not held and (there is None or self._expired(there)):
                raise UnknownJobError(job_id)
            return held or (there is not None and there["reduceSentBy"] in tokens)

    def list(self) -> Iterator[JobSummary]:
        """Go through all jobs, in no order; this reads the whole table, which a busy one makes slow and dear."""
        for values in self._table.scan(HEAD_PREFIX):
            if self._expired(values):
                continue
            job = Job.from_values(values)
            yield JobSummary(
                job_id=job.job_id,
                total=job.total,
                complete=job.complete,
                failed=job.error,
                reduce_sent=job.reduce_sent_by is not None,
                created=job.created,
            )

    def delete(self, job_id: str) -> None:
        """Forget a job. Parts that are completed later are those of an unknown job.

        Messages that are still there do not know that: they would complete parts of a later job with the same id.
        """
        job = self.job(job_id)
        self._table.delete([head_key(job_id)])
        self._table.delete([job.metadata_key, *job.shard_keys])

    def job(self, job_id: str) -> Job:
        """Read what is known of a job without looking at its parts."""
        job = self._known(job_id)
        if job is None:
            raise UnknownJobError(job_id)
        return job

    def note_published(self, job: Job) -> None:
        """Note of how many parts the messages were sent; fewer than noted before changes nothing."""
        condition = "#born = :born AND (attribute_not_exists(#published) OR #published < :count)"
        given: dict[str, Value] = {":born": job.born, ":count": job.published}
        held, there = self._table.update(head_key(job.job_id), "SET #published = :count", condition, given)
        if not held and (there is None or there["born"] != job.born):
            raise UnknownJobError(job.job_id)

    def _known(self, job_id: str) -> Job | None:
        values = self._table.get(head_key(job_id))
        return None if values is None or self._expired(values) else Job.from_values(values)

    def _expired(self, head: Mapping[str, Any]) -> bool:
        """Whether a job is forgotten, though DynamoDB, which takes days to remove it, still shows it."""
        expires: int = head[PROGRESS_EXPIRY]
        return expires <= self._clock()

    def _set_bit(self, job: Job, shard: int, bit: int, part: int) -> int | None:
        """Set a part's bit; gives the part that filled the shard, this one or another, when all of its bits are set."""
        key = job.shard_key(shard)
        item = self._table.get(key)
        while True:
            bits = bitmap.empty(job.parts_in(shard)) if item is None else item["bits"]
            if item is not None and bitmap.is_set(bits, bit):
                filled_by: int | None = item.get("filledBy")
                return filled_by
            change = f"SET #bits = :bits, #{PROGRESS_EXPIRY} = :expires"
            marked = bitmap.with_bit(bits, bit)
            given: dict[str, Value] = {":bits": marked, ":expires": job.expires}
            fills = bitmap.count(marked) == job.parts_in(shard)
            if fills:
                change += ", #filledBy = :part"
                given[":part"] = part
            condition = "attribute_not_exists(#id)" if item is None else "#bits = :old"
            if item is not None:
                given[":old"] = bits
            held, item = self._table.update(key, change, condition, given)
            if held:
                return part if fills else None

    def _close(self, job: Job, shard: int, filled_by: int, token: str) -> Job:
        """Tell the head that a shard is done, and give the head; whoever was first to tell has left a token there.

        It also says who filled the shard. Whatever becomes of that part's worker, its message is there until a worker
        of that part has seen the shard closed; a worker of another part may close it, and nobody would try that again.
        """
        _, there = self._table.update(
            head_key(job.job_id),
            "SET #closedBy = :token, #closedPart = :part DELETE #open :shards",
            "#born = :born AND contains(#open, :shard)",
            {
                ":token": token,
                ":part": filled_by,
                ":shards": frozenset((shard,)),
                ":born": job.born,
                ":shard": shard,
            },
        )
        if there is None or there["born"] != job.born:
            raise UnknownJobError(job.job_id)
        return Job.from_values(there)

    @contextlib.contextmanager
    def _tokens(self, job_id: str, what: object) -> Iterator[Sequence[str]]:
        """Name one call uniquely, or like all earlier ones that ended in an error: their writes may have been made.

        What they would have been told is told to the first call that comes after them, and to no other.
        """
        with self._lock:
            tokens = self._unanswered.pop((job_id, what), None) or [uuid.uuid4().hex]
        try:
            yield tokens
        except (UnknownJobError, InvalidValueError):
            raise
        except BaseException:
            with self._lock:
                self._unanswered.setdefault((job_id, what), []).extend(tokens)
            raise


def _is_done(job: Job, bitmaps: Mapping[str, bytes], shard: int, bit: int) -> bool:
    bits = bitmaps.get(job.shard_key(shard))
    return bits is not None and bitmap.is_set(bits, bit)
