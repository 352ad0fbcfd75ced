"""What the messages of a job say: ``map`` for each part, ``reduce`` when all of them are done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from watchbot.progress.errors import InvalidValueError
from watchbot.progress.job import Job
from watchbot.progress.topic import Message

MAP_SUBJECT = "map"
REDUCE_SUBJECT = "reduce"

JOB_FIELD = "jobid"
PART_FIELD = "partid"
METADATA_FIELD = "metadata"
OUR_FIELDS = frozenset((JOB_FIELD, PART_FIELD, METADATA_FIELD))


def check_fields(name: str, fields: object) -> None:
    """Raise :class:`InvalidValueError` for what cannot be the own fields of a part, which has this name."""
    if not isinstance(fields, Mapping):
        raise InvalidValueError(name, fields, "a JSON object")
    taken = sorted(OUR_FIELDS & fields.keys())
    if taken:
        raise InvalidValueError(name, fields, f"without {', '.join(taken)}, which the message says itself")


def map_message(job: Job, part: int, fields: Mapping[str, Any], metadata: Mapping[str, Any] | None) -> Message:
    """Give the message of one part: its own fields, the job's id, the part's number, and the metadata if there is any.

    Raises :class:`InvalidValueError` for fields that JSON cannot hold, or that have one of our names.
    """
    text = map_text(f"part {part}", job.job_id, part, fields, metadata)
    return Message(MAP_SUBJECT, text, _key(job, str(part)))


def map_text(name: str, job_id: str, part: int, fields: Mapping[str, Any], metadata: Mapping[str, Any] | None) -> str:
    """Give what the message of a part says; ``name`` is what an error calls the part."""
    check_fields(name, fields)
    ours = {JOB_FIELD: job_id, PART_FIELD: part, **({METADATA_FIELD: metadata} if metadata else {})}
    return _as_json(name, {**fields, **ours})


def reduce_message(job: Job, metadata: Mapping[str, Any] | None) -> Message:
    """Give the message that all parts are done."""
    said = {JOB_FIELD: job.job_id, METADATA_FIELD: metadata or {}}
    return Message(REDUCE_SUBJECT, _as_json("metadata", said), _key(job, REDUCE_SUBJECT))


def _as_json(name: str, value: object) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise InvalidValueError(name, value, "what JSON can hold") from None


def _key(job: Job, what: str) -> str:
    return hashlib.sha256(f"{job.born}/{what}".encode()).hexdigest()
