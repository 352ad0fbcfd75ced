"""The content of a message that the watcher has let go of."""

from __future__ import annotations

import dataclasses

from watchbot.payload import Pointer


@dataclasses.dataclass(frozen=True, slots=True)
class StoredContent:
    """The objects in S3 that hold a message's content while its task runs, and the beginning of its text.

    ``body`` is the body as SQS delivered it. ``message_attributes`` are SQS's attributes where the watcher has let go
    of them too. ``text`` and ``attributes`` are what the worker reads at its URLs, where it reads them there.
    ``pointer`` is the payload that the message itself points to.
    """

    body: Pointer
    message_attributes: Pointer | None
    text: Pointer | None
    attributes: Pointer | None
    pointer: Pointer | None
    subject: str | None
    beginning: bytes
    text_bytes: int

    @property
    def objects(self) -> set[Pointer]:
        """All of them, each once."""
        places = (self.body, self.message_attributes, self.text, self.attributes)
        return {place for place in places if place is not None}
