"""Which dead letters are meant."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.errors import CommandError, UsageError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What was typed: a letter is meant when everything that is given applies to it."""

    ids: tuple[str, ...] = ()
    where: str | None = None
    match: str | None = None
    reason: str | None = None
    older_than: float | None = None
    newer_than: float | None = None
    limit: int | None = None


class Selection:
    """Filters, understood; raises :class:`UsageError` for one that cannot be."""

    def __init__(self, filters: Filters) -> None:
        self._filters = filters
        self._match = _pattern("--match", filters.match)
        self._reason = _pattern("--reason", filters.reason)
        try:
            self._where: Any = None if filters.where is None else jmespath.compile(filters.where)
        except JMESPathError as error:
            raise UsageError(f"--where {filters.where!r} is no JMESPath: {_one_line(error)}") from error

    @property
    def is_everything(self) -> bool:
        """Whether no dead letter is left out."""
        return self._filters == Filters()

    @property
    def limit(self) -> int | None:
        """How many are enough; None for all."""
        ids = len(self._filters.ids)
        limits = [limit for limit in (self._filters.limit, ids or None) if limit is not None]
        return min(limits, default=None)

    def accepts(self, letter: Letter, now: float) -> bool:
        """Whether this one is meant."""
        filters, age = self._filters, now - letter.sent_at
        return (
            (not filters.ids or any(letter.is_called(one) for one in filters.ids))
            and (filters.older_than is None or age > filters.older_than)
            and (filters.newer_than is None or age < filters.newer_than)
            and (self._reason is None or self._reason.search(letter.reason) is not None)
            and self._accepts_content(letter, now)
        )

    def _accepts_content(self, letter: Letter, now: float) -> bool:
        if self._match is None and self._where is None:
            return True
        document = letter.document(now)
        if self._match is not None and not any(self._match.search(text) for text in _texts(document)):
            return False
        return self._where is None or self._applies(document)

    def _applies(self, document: dict[str, Any]) -> bool:
        """Whether the expression is true of the letter, as JMESPath understands truth."""
        try:
            found = self._where.search({**document, "json": _parsed(document["message"])})
        except JMESPathError as error:
            raise CommandError(
                f"--where {self._filters.where!r} cannot be asked of dead letter {document['message_id']}: "
                f"{_one_line(error)}"
            ) from error
        return not (found is None or found is False or found in ("", [], {}))


def _pattern(option: str, text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise UsageError(f"{option} {text!r} is no regular expression: {error}") from error


def _texts(document: dict[str, Any]) -> list[str]:
    """Give what a regular expression is searched in."""
    attributes = [f"{name}={value}" for name, value in document["attributes"].items()]
    return [document["message"], document["subject"] or "", *attributes]


def _parsed(message: str) -> Any:
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
