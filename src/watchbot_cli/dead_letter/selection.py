"""Which dead letters are meant."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Set
from typing import Any

from rich.console import Console

from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.question import Question
from watchbot_cli.errors import UsageError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What was typed: a letter is meant when everything that is given applies to it.

    ``ids`` are of either kind, and several letters may have one of them; ``letter_ids`` are one letter's each.
    """

    ids: tuple[str, ...] = ()
    letter_ids: frozenset[str] | None = None
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
        self._where = None if filters.where is None else Question(filters.where)

    @property
    def is_everything(self) -> bool:
        """Whether no dead letter is left out."""
        return self._filters == Filters()

    @property
    def limit(self) -> int | None:
        """How many are enough; None for all."""
        return self._filters.limit

    def is_exhausted(self, letter_ids: Set[str]) -> bool:
        """Whether no other letter can be meant once these were seen: ids of the dead-letter queue are unique there."""
        is_named = bool(self._filters.ids) or self._filters.letter_ids is not None
        return is_named and self._asked <= letter_ids

    def missing(self, met: Set[str]) -> tuple[str, ...]:
        """Give the ids that were asked for and that none of the letters seen has."""
        return tuple(sorted(self._asked - met))

    @property
    def _asked(self) -> frozenset[str]:
        return frozenset(self._filters.ids) | (self._filters.letter_ids or frozenset())

    def accepts(self, letter: Letter, now: float) -> bool:
        """Whether this one is meant."""
        filters, age = self._filters, now - letter.sent_at
        return (
            (not filters.ids or any(letter.is_called(one) for one in filters.ids))
            and (filters.letter_ids is None or letter.letter_id in filters.letter_ids)
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
        return self._where is None or self._where.is_true_of(document)

    def tell_of_mismatches(self, console: Console) -> None:
        """Say which letters could not be asked."""
        if self._where is not None:
            self._where.tell_of_mismatches(console)


def _pattern(option: str, text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise UsageError(f"{option} {text!r} is no regular expression: {error}") from error


def _texts(document: dict[str, Any]) -> list[str]:
    """Give what a regular expression is searched in."""
    attributes = [f"{name}={value}" for name, value in document["attributes"].items()]
    return [document["message"], document["subject"] or "", *attributes]
