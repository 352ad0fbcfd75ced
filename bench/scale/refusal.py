"""What AWS answers instead of doing what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):  # noqa: N818 - an answer, not a mistake of the bench
    """An error answer: ``fields`` stand beside its code and message; ``query_code`` is the older name that SQS adds."""

    def __init__(
        self, code: str, message: str, *, query_code: str | None = None, fields: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.query_code = query_code
        self.fields = fields or {}


def throttled() -> Refusal:
    """Give ECS's answer to one call too many.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html
    """
    return Refusal("ThrottlingException", "Rate exceeded")


def invalid(message: str) -> Refusal:
    """Give ECS's answer to a field that it does not take."""
    return Refusal("InvalidParameterException", message)
