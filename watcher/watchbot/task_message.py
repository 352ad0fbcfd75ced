"""How a message reaches its task: in the environment, or behind URLs when it does not fit there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping

from watchbot.job import Job, message_attributes_of, portable_attributes
from watchbot.message import Message
from watchbot.payload import Pointer
from watchbot.payload_store import PayloadGoneError, Payloads
from watchbot.stored_content import StoredContent
from watchbot.task_request import OVERRIDES_LIMIT, MessageTooLargeError, is_speakable, overrides_size
from watchbot.worker_environment import encode

LARGE_BYTES = 32 * 1024
"""The memory that a message may take while its task runs; a thousand of them take 32 MiB at most."""

_MAY_BE_LARGE = LARGE_BYTES // 4
"""The memory of a body from which its job may have been large: text and attributes are in the body a second time."""

_SMALL = 4096
_BEGINNING = 8192
"""Bytes of a text that are kept, for the log and the notification of a failed job."""

_MOST_STORED_BYTES = 4 << 20
"""A message has at most 1 MiB; binary attributes take a third more in base64, and characters may be escaped."""

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
        self._let_go_of: Callable[[Message], None] = lambda message: None

    def on_let_go(self, let_go: Callable[[Message], None]) -> None:
        """Call this with each message whose content is stored from now on."""
        self._let_go_of = let_go

    async def prepared(self, job: Job) -> Job:
        """Return the job in a form that fits; raises :class:`MessageTooLargeError` and what S3's calls raise.

        Of a large message only that form is left in memory afterwards: its content is in ``bucket`` until it is
        settled.
        """
        if job.message.stored is not None:
            return await self._signed(job, job.message.stored)
        form = await self._form(job)
        if self._bucket is not None and job.content_bytes > LARGE_BYTES:
            form = await self._store(job, form)
        return form

    async def renew(self, message: Message) -> None:
        """Write the objects of a stored message again, from themselves: the bucket deletes what is two days old."""
        if message.stored is not None and self._payloads is not None:
            for pointer in self.parked(message):
                await self._payloads.renew(pointer)

    async def whole(self, message: Message) -> Message:
        """Return the message with its content again; raises :class:`PayloadError`."""
        stored = message.stored
        if stored is None or self._payloads is None:
            return message
        attributes = message.message_attributes
        if stored.message_attributes is not None:
            attributes = message_attributes_of(json.loads(await self._read(stored.message_attributes)))
        body = await self._read(stored.body)
        return dataclasses.replace(message, body=body, message_attributes=attributes, stored=None)

    async def _read(self, pointer: Pointer) -> str:
        text = None if self._payloads is None else await self._payloads.text(pointer, _MOST_STORED_BYTES)
        if text is None:
            raise PayloadGoneError(f"its content {pointer} is not what was stored")
        return text

    async def _signed(self, job: Job, stored: StoredContent) -> Job:
        if self._payloads is None:
            return job
        url = None if stored.text is None else await self._payloads.sign(stored.text)
        attributes_url = None if stored.attributes is None else await self._payloads.sign(stored.attributes)
        return dataclasses.replace(job, url=url, attributes_url=attributes_url)

    async def _store(self, job: Job, form: Job) -> Job:
        """Put what the form does not hold into the bucket, and let go of it; an object that is there already serves."""
        message = job.message
        if self._bucket is None or self._payloads is None:
            return form
        text_at, attributes_at = _places(self._bucket, message)
        body_at, own_at = _stored_places(self._bucket, message)
        if form.url is not None and job.pointer is None and job.text == message.body:
            body_at = text_at
        else:
            await self._payloads.put(body_at, encode(message.body))
        own: Pointer | None = None
        if message.message_attributes and _attributes_length(message) > _SMALL:
            own, portable = own_at, portable_attributes(message.message_attributes)
            if form.attributes_url is not None and portable == job.attributes:
                own = attributes_at
            else:
                await self._payloads.put(own_at, encode(json.dumps(portable, ensure_ascii=False)))
        text, slim = job.text or "", _slim(form)
        stored = StoredContent(
            body_at,
            own,
            None if form.url is None else (job.pointer or text_at),
            None if form.attributes_url is None else attributes_at,
            job.pointer,
            slim.subject,
            encode(text[:_BEGINNING])[:_BEGINNING],
            len(encode(text)),
        )
        job.let_go(slim, stored)
        self._let_go_of(message)
        return slim

    async def _form(self, job: Job) -> Job:
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
        """Return where parts of a message may have been put; nowhere when it is too short for that."""
        if message.stored is not None:
            # A sender's object in another bucket is not ours to delete.
            return [pointer for pointer in message.stored.objects if pointer.bucket == self._bucket]
        is_short = len(message.body) + _attributes_length(message) < _ALWAYS_FITS
        if self._bucket is None or (is_short and "\\u" not in message.body):
            return []
        has_attributes = bool(message.message_attributes) or '"MessageAttributes"' in message.body
        text, attributes = _places(self._bucket, message)
        parked = [text, attributes] if has_attributes else [text]
        return parked + list(_stored_places(self._bucket, message)) if message.content_bytes > _MAY_BE_LARGE else parked

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


def _stored_places(bucket: str, message: Message) -> tuple[Pointer, Pointer]:
    key = message.message_id
    return Pointer(bucket, f"{key}/body"), Pointer(bucket, f"{key}/message-attributes")


def _slim(form: Job) -> Job:
    """Leave out what no variable of the worker is made of."""
    attributes = form.attributes
    if form.attributes_url is not None:
        attributes = {name: value for name, value in attributes.items() if name == "traceparent"}
    is_sent = form.subject is None or len(form.subject) <= _SMALL
    return dataclasses.replace(form, attributes=attributes, subject=form.subject if is_sent else None)


def _attributes_length(message: Message) -> int:
    return sum(len(str(attribute)) for attribute in message.message_attributes.values())
