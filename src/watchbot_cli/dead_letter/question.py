"""A JMESPath expression that is asked of dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.functions import Functions
from rich.console import Console

from watchbot_cli.errors import CommandError, UsageError

_FUNCTIONS: Mapping[str, Mapping[str, Any]] = Functions.FUNCTION_TABLE
_OF_ANOTHER_TYPE = (JMESPathTypeError, TypeError, ValueError)
"""What an expression ends with that is asked of a value for which it is not made: of jmespath, and of Python in it."""


class Question:
    """What ``--where`` says, understood; raises :class:`UsageError` for what cannot be asked of any letter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._mismatches: list[str] = []
        try:
            self._expression: Any = jmespath.compile(text)
        except JMESPathError as error:
            raise UsageError(f"--where {text!r} is no JMESPath: {_one_line(error)}") from error
        for call in _calls(self._expression.parsed):
            problem = _problem(call["value"], len(call["children"]))
            if problem:
                raise UsageError(f"--where {text!r} {problem}")

    def is_true_of(self, document: Mapping[str, Any]) -> bool:
        """Whether it is true of the letter, as JMESPath understands truth; not where the types are others."""
        try:
            found = self._expression.search({**document, "json": _parsed(document["message"])})
        except _OF_ANOTHER_TYPE as error:
            self._mismatches.append(f"{document['message_id']}: {_one_line(error)}")
            return False
        except JMESPathError as error:
            raise CommandError(
                f"--where {self._text!r} cannot be asked of dead letter {document['message_id']}: {_one_line(error)}"
            ) from error
        return not (found is None or found is False or found in ("", [], {}))

    def tell_of_mismatches(self, console: Console) -> None:
        """Say of how many letters it was not true because their types are others."""
        if self._mismatches:
            count, first = len(self._mismatches), self._mismatches[0]
            text = f"--where was not true of {count} dead letters because of their types, such as {first}"
            console.print(text)


def _calls(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if node["type"] == "function_expression":
        yield node
    for child in node["children"]:
        yield from _calls(child)


def _problem(name: str, given: int) -> str | None:
    """Say what is wrong with a call, whatever it is given; jmespath itself looks when it makes the call."""
    if name not in _FUNCTIONS:
        return f"calls {name}(), which is not one of JMESPath's functions: {', '.join(sorted(_FUNCTIONS))}"
    signature = _FUNCTIONS[name]["signature"]
    is_variadic = bool(signature) and signature[-1].get("variadic", False)
    if given < len(signature) or (given > len(signature) and not is_variadic):
        return f"gives {given} arguments to {name}(), which takes {len(signature)}{' or more' if is_variadic else ''}"
    return None


def _parsed(message: str) -> Any:
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
