"""DynamoDB's condition and update expressions, as far as the progress table uses them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

Item = dict[str, dict[str, Any]]

LONGEST = 4096
"""Bytes of an expression. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""


class ExpressionError(Exception):
    """DynamoDB would refuse this expression."""


def holds(expression: str, item: Item | None, names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    """Whether a condition holds for an item, or for none."""
    there: Item = {} if item is None else item

    def exists(name: str) -> bool:
        return names[name] in there

    def contains(name: str, value: str) -> bool:
        found = there.get(names[name], {})
        return "NS" in found and values[value]["N"] in found["NS"]

    def compare(name: str, operator: str, value: str) -> bool:
        found = there.get(names[name])
        return found is not None and _compare(found, operator, values[value])

    def begins(name: str, value: str) -> bool:
        return str(there.get(names[name], {}).get("S", "")).startswith(values[value]["S"])

    scope: dict[str, Callable[..., bool]] = {
        "exists": exists, "contains": contains, "compare": compare, "begins": begins
    }  # fmt: skip
    return bool(eval(_compiled(expression), {"__builtins__": {}}, scope))


def updated(expression: str, item: Item, names: Mapping[str, str], values: Mapping[str, Any]) -> Item:
    """Give an item as an update expression of SET and DELETE leaves it."""
    changed = dict(item)
    setting, deleting = _clauses(expression)
    for name, value in setting:
        changed[names[name]] = values[value]
    for name, value in deleting:
        left = [one for one in changed.get(names[name], {"NS": []})["NS"] if one not in values[value]["NS"]]
        if left:
            changed[names[name]] = {"NS": left}
        else:
            changed.pop(names[name], None)  # there is no empty set in DynamoDB
    return changed


def check(expressions: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """Refuse what DynamoDB refuses: expressions too long, and placeholders without a use or without a meaning."""
    if len(expressions.encode()) > LONGEST:
        raise ExpressionError("expression size has exceeded the maximum allowed size")
    used = set(re.findall(r"[#:]\w+", expressions))
    if used != {*names, *values}:
        raise ExpressionError(f"placeholders used and given differ: {used ^ {*names, *values}}")


def _compare(found: dict[str, Any], operator: str, given: dict[str, Any]) -> bool:
    if operator == "=":
        return found == given
    if "N" not in found or "N" not in given:
        return False
    one, other = int(found["N"]), int(given["N"])
    return one > other if operator == ">" else one < other if operator == "<" else one <= other


@functools.cache
def _compiled(expression: str) -> CodeType:
    text = re.sub(r"attribute_not_exists\((#\w+)\)", r"not exists('\1')", expression)
    text = re.sub(r"attribute_exists\((#\w+)\)", r"exists('\1')", text)
    text = re.sub(r"contains\((#\w+), (:\w+)\)", r"contains('\1', '\2')", text)
    text = re.sub(r"begins_with\((#\w+), (:\w+)\)", r"begins('\1', '\2')", text)
    text = re.sub(r"(#\w+) (=|<=|<|>) (:\w+)", r"compare('\1', '\2', '\3')", text)
    return compile(text.replace(" AND ", " and ").replace(" OR ", " or "), expression, "eval")


@functools.cache
def _clauses(expression: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    known = re.fullmatch(r"SET (.*?)(?: DELETE (#\w+) (:\w+))?", expression)
    if known is None:
        raise ExpressionError(f"cannot read {expression!r}")
    setting = re.findall(r"(#\w+) = (:\w+)", known[1])
    return setting, [] if known[2] is None else [(known[2], known[3])]
