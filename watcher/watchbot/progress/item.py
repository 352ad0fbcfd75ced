"""Items as DynamoDB writes them, and as Python reads them: text, whole numbers, bytes, and sets of whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Value = str | int | bytes | frozenset[int]


def encode(values: Mapping[str, Value]) -> dict[str, Any]:
    """Give DynamoDB's form of these values."""
    return {name: _encoded(value) for name, value in values.items()}


def decode(item: Mapping[str, Any]) -> dict[str, Any]:
    """Read an item that :func:`encode` wrote."""
    return {name: _decoded(value) for name, value in item.items()}


def _encoded(value: Value) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case frozenset():
            return {"NS": [str(one) for one in sorted(value)]}


def _decoded(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return int(content)
        case "NS":
            return frozenset(int(one) for one in content)
        case _:
            return content
