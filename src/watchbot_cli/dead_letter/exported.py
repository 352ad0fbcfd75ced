"""What was exported, read back."""

from __future__ import annotations

import json
from typing import Any

from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.sending.destination import to_queue
from watchbot_cli.sending.outgoing import Reader, read_lines

_UNVERIFIED = (
    "came through a webhook and was changed, but has no note that its signature was valid: where callers sign, the "
    "watcher would dead-letter it again; find out who sent it, then import with --trust-unverified"
)


def read_letters(source: str, *, fifo: bool, trust_unverified: bool) -> list[tuple[int, Letter]]:
    """Read the letters of a file, or of standard input for ``-``, with the numbers of their lines.

    The message of a webhook's letter is its body, so that a letter whose ``message`` is another was mended. With
    ``trust_unverified`` all letters of the webhook are noted as verified.

    Raises :class:`UsageError` with every line that is no letter, or that the work queue or the watcher would not take.
    """
    reader = Reader(to_queue(fifo=fifo), {})

    def letter(line: bytes, number: int) -> tuple[int, Letter]:
        document = _document(line)
        found = Letter.from_document(document)
        if found.is_unverified and trust_unverified:
            found = found.verified()
        elif found.is_unverified and document.get("message") != found.body:
            raise ValueError(_UNVERIFIED)
        reader.outgoing(_fields(found, fifo=fifo), number)
        return number, found

    return read_lines(source, "FILE", letter, "cannot be sent, and nothing was")


def read_letter_ids(source: str) -> frozenset[str]:
    """Read whose letters a file, or standard input, has; raises :class:`UsageError` with every line that has none."""

    def letter_id(line: bytes, _: int) -> str:
        return Letter.from_document(_document(line)).letter_id

    return frozenset(read_lines(source, "--from", letter_id, "does not say what to delete, and nothing was"))


def _document(line: bytes) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("is no JSON object")
    return document


def _fields(letter: Letter, *, fifo: bool) -> dict[str, Any]:
    """Give the fields that are checked, as a line that is sent has them."""
    sent = letter.send_fields(fifo=fifo)
    order: dict[str, Any] = {name: sent[name] for name in ("MessageGroupId", "MessageDeduplicationId") if name in sent}
    return {"Message": letter.body, "MessageAttributes": letter.document_now()["message_attributes"], **order}
