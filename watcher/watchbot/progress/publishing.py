"""Starting a job: its total, its metadata, and a message for each of its parts."""

from __future__ import annotations

import dataclasses
import itertools
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sized
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from watchbot.contract import MESSAGE_ID_VARIABLE
from watchbot.progress.convention import map_message
from watchbot.progress.errors import InvalidValueError, JobFailed
from watchbot.progress.job import Job
from watchbot.progress.metadata import as_texts, check_size
from watchbot.progress.progress import Progress
from watchbot.progress.topic import CONNECTIONS, Message, Topic, batches

WINDOW = CONNECTIONS
"""Batches that are under way at once, and after which the job notes how far it is."""


def map_reduce(
    parts: Iterable[Mapping[str, Any]],
    *,
    job_id: str | None = None,
    total: int | None = None,
    metadata: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    topic: Topic | None = None,
) -> str:
    """Start a job, and publish a message with the subject ``map`` for each of its parts; gives the job's id.

    ``parts`` are the parts' own fields, at most 10,000,000 of them, and never more than 160 are held at once: it may be
    a generator if ``total`` says how many it gives. ``job_id`` is by default the id of the message that the worker has,
    so that a retry continues the job that an earlier try began; a second job of the same message needs an id of its
    own, or it is taken for that. Outside a worker it is a new one. ``progress`` and ``topic`` are by default those that
    ``ProgressTable`` and ``WorkTopic`` name.

    Called again with the same parts in the same order, it goes on where the last call stopped. What that one had
    published since it last noted so, at most 160 messages, is published again; a part that is done twice counts once.

    Raises :class:`NotPublishedError` when SNS does not take a message, :class:`JobFailed` for a job that was failed,
    and what :meth:`Progress.set_total` raises.
    """
    progress = Progress() if progress is None else progress
    topic = Topic.of_arn() if topic is None else topic
    if job_id is None:
        job_id = os.environ.get(MESSAGE_ID_VARIABLE) or uuid.uuid4().hex
    job = _begun(progress, job_id, _total(parts, total), metadata)
    with ThreadPoolExecutor(WINDOW, "publish") as pool:
        for window in _windows(batches(_messages(job, parts, metadata))):
            # All of a window are waited for, and the first error of any of them is raised here.
            list(pool.map(topic.publish, window))
            job = dataclasses.replace(job, published=job.published + sum(map(len, window)))
            progress.note_published(job)
    if job.published < job.total:
        raise InvalidValueError("parts", job.published, f"as many as the total, which is {job.total}")
    return job_id


def _total(parts: Iterable[Mapping[str, Any]], total: int | None) -> int:
    if total is not None:
        return total
    if not isinstance(parts, Sized):
        raise InvalidValueError("total", total, "given, since these parts have no length")
    return len(parts)


def _begun(progress: Progress, job_id: str, total: int, metadata: Mapping[str, Any] | None) -> Job:
    if metadata is not None:
        check_size(as_texts(metadata))  # before there is a job that cannot get it
    progress.set_total(job_id, total)
    job = progress.job(job_id)
    if job.error is not None:
        raise JobFailed(job_id, job.error)
    if metadata and not job.published:
        progress.set_metadata(job_id, metadata)
    return job


def _messages(job: Job, parts: Iterable[Mapping[str, Any]], metadata: Mapping[str, Any] | None) -> Iterator[Message]:
    for part, fields in itertools.islice(enumerate(parts, 1), job.published, None):
        if part > job.total:
            raise InvalidValueError("parts", f"more than {job.total}", f"as many as the total, which is {job.total}")
        yield map_message(job, part, fields, metadata)


def _windows(some: Iterator[tuple[Message, ...]]) -> Iterator[tuple[tuple[Message, ...], ...]]:
    return iter(lambda: tuple(itertools.islice(some, WINDOW)), ())
