"""How a message reaches its task: in the environment, or behind URLs when it does not fit there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from watchbot.job import Job
from watchbot.message import Message
from watchbot.payload import Pointer
from watchbot.payload_store import Payloads
from watchbot.task_request import OVERRIDES_LIMIT, MessageTooLargeError, is_speakable, overrides_size
from watchbot.worker_environment import encode

_ALWAYS_FITS = 400
"""A message with fewer characters, attributes included, fits even if each of them takes the 12 of an escaped emoji."""


class TaskMessage:
    """Sees to it that a job fits into RunTask's overrides.

    Attributes, or else a text, or both, that do not fit are put into ``bucket``, the service's own, and the worker gets
    URLs of them. A text that is an object in S3 already, and too long, is not copied.
    """

    def __init__(self, shared: Mapping[str, str], payloads: Payloads | None, bucket: str | None) -> None:
        self._shared = shared
        self._payloads = payloads
        self._bucket = bucket

    async def prepared(self, job: Job) -> Job:
        """Give the job in a form that fits; raises :class:`MessageTooLargeError` and what S3's calls raise."""
        if job.pointer is not None and self._payloads is not None:
            job = dataclasses.replace(job, text=await self._payloads.text(job.pointer, OVERRIDES_LIMIT))
        if self._fits(job):
            return job
        for form in await self._forms(job):
            if self._fits(form):
                await self._put(job, form)
                return form
        size = overrides_size(job, self._shared)
        problem = f"as JSON it has {size} characters, at most {OVERRIDES_LIMIT}"
        if size <= OVERRIDES_LIMIT:
            problem = "it holds what no variable can, such as NUL"
        raise MessageTooLargeError(
            f"the message does not fit into the environment of an ECS task: {problem}, and no bucket takes it"
        )

    def parked(self, message: Message) -> list[Pointer]:
        """Say where parts of a message may have been put; nowhere when it is too short for that."""
        is_short = len(message.body) + _attributes_length(message) < _ALWAYS_FITS
        if self._bucket is None or (is_short and "\\u" not in message.body):
            return []
        has_attributes = bool(message.message_attributes) or '"MessageAttributes"' in message.body
        text, attributes = _places(self._bucket, message)
        return [text, attributes] if has_attributes else [text]

    async def _forms(self, job: Job) -> list[Job]:
        """Give the forms that the job may take instead, the best one first: workers read ``Message`` most of all."""
        forms = [dataclasses.replace(job, attributes={})]
        text_at, attributes_at = (None, None) if self._bucket is None else _places(self._bucket, job.message)
        text_at = text_at if job.pointer is None else job.pointer
        if self._payloads is None or text_at is None:
            return forms
        apart = dataclasses.replace(job, text=None, url=await self._payloads.sign(text_at))
        forms += [dataclasses.replace(apart, attributes={})]
        if attributes_at is None or not job.attributes:
            return [apart, *forms]
        attributes_url = await self._payloads.sign(attributes_at)
        both = [dataclasses.replace(one, attributes_url=attributes_url) for one in (job, apart)]
        return [both[0], apart, both[1], *forms]

    async def _put(self, job: Job, form: Job) -> None:
        """Put behind the URLs of a form what is not there yet."""
        if self._bucket is None or self._payloads is None:
            return
        text_at, attributes_at = _places(self._bucket, job.message)
        if form.url is not None and job.pointer is None:
            await self._payloads.put(text_at, encode(job.text or ""))
        if form.attributes_url is not None:
            await self._payloads.put(attributes_at, encode(job.attributes_text or ""))

    def _fits(self, job: Job) -> bool:
        is_whole = job.text is not None or job.url is not None
        texts = [job.text or "", (job.attributes_url is None and job.attributes_text) or ""]
        return is_whole and all(map(is_speakable, texts)) and overrides_size(job, self._shared) <= OVERRIDES_LIMIT


def _places(bucket: str, message: Message) -> tuple[Pointer, Pointer]:
    return Pointer(bucket, message.message_id), Pointer(bucket, f"{message.message_id}/attributes")


def _attributes_length(message: Message) -> int:
    return sum(len(str(attribute)) for attribute in message.message_attributes.values())
