"""How a message reaches its task: in the environment, or behind a URL when it does not fit there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from watchbot.job import Job
from watchbot.message import Message
from watchbot.payload import Pointer
from watchbot.payload_store import Payloads
from watchbot.task_request import OVERRIDES_LIMIT, MessageTooLargeError, overrides_size
from watchbot.worker_environment import encode

_ALWAYS_FITS = 400
"""A message with fewer characters, attributes included, fits even if each of them takes the 12 of an escaped emoji."""


class TaskMessage:
    """Sees to it that a job fits into RunTask's overrides.

    A text that does not is put into ``bucket``, the service's own, and the worker gets a URL of it. So does one that is
    an object in S3 already and too long, without being copied.
    """

    def __init__(self, shared: Mapping[str, str], payloads: Payloads | None, bucket: str | None) -> None:
        self._shared = shared
        self._payloads = payloads
        self._bucket = bucket

    async def prepared(self, job: Job) -> Job:
        """Give the job in a form that fits; raises :class:`MessageTooLargeError` and what S3's calls raise."""
        if job.pointer is not None and self._payloads is not None:
            short = dataclasses.replace(job, text=await self._payloads.text(job.pointer, OVERRIDES_LIMIT))
            if short.text is not None and self._fits(short):
                return short
            return self._shortened(dataclasses.replace(job, url=await self._payloads.sign(job.pointer)))
        if self._fits(job):
            return job
        if self._fits(dataclasses.replace(job, attributes={})) and not self._fits(dataclasses.replace(job, text=None)):
            return dataclasses.replace(job, attributes={})
        pointer = self.parked(job.message)
        if pointer is None or self._payloads is None:
            raise MessageTooLargeError(
                "the message does not fit into the environment of an ECS task: as JSON it has "
                f"{overrides_size(job, self._shared)} characters, at most {OVERRIDES_LIMIT}, and no bucket takes it"
            )
        await self._payloads.put(pointer, encode(job.text or ""))
        return self._shortened(dataclasses.replace(job, text=None, url=await self._payloads.sign(pointer)))

    def parked(self, message: Message) -> Pointer | None:
        """Say where the text of a message has been put, if it has; None when it is too short for that to be."""
        if self._bucket is None or _length(message) < _ALWAYS_FITS:
            return None
        return Pointer(self._bucket, message.message_id)

    def _shortened(self, job: Job) -> Job:
        """Leave out attributes beside a URL that do not fit: they may be as long as a message themselves."""
        return job if self._fits(job) else dataclasses.replace(job, attributes={})

    def _fits(self, job: Job) -> bool:
        return overrides_size(job, self._shared) <= OVERRIDES_LIMIT


def _length(message: Message) -> int:
    return len(message.body) + sum(len(str(attribute)) for attribute in message.message_attributes.values())
