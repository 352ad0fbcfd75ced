"""As much of API Gateway's template language as our templates use, and stricter: what it does not know is an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus


class TemplateError(Exception):
    """A template uses what is not there."""


class Util:
    """``$util``; API Gateway's functions take texts and nothing else."""

    def urlEncode(self, text: object) -> str:  # noqa: N802 - its name there
        if not isinstance(text, str):
            raise TemplateError(f"urlEncode of {text!r}")
        return quote_plus(text)


class Input:
    """``$input`` of a request, or of a service's answer in JSON."""

    def __init__(self, body: str, headers: Mapping[str, str] | None = None) -> None:
        self.body = body
        self._headers = dict(headers or {})

    def params(self) -> dict[str, dict[str, str]]:
        return {"header": self._headers, "querystring": {}, "path": {}}

    def path(self, path: str) -> Any:
        value = json.loads(self.body)
        for part in path.removeprefix("$.").split("."):
            value = value[part]
        return value


_METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    str: {"toLowerCase": str.lower, "contains": str.__contains__},
    dict: {"keySet": list, "get": dict.get},
}
"""What Java has."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_END = re.compile(r"#(end|else|elseif)(?![A-Za-z])")
_RUN_ON = re.compile(r"#(end|else(?!if\())[A-Za-z]")
_ARTICLE = re.compile(r"\$(\{?)([A-Za-z][A-Za-z0-9]*)")


class _Text:
    """A text and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def takes(self, part: str) -> bool:
        found = self.text.startswith(part, self.at)
        self.at += len(part) if found else 0
        return found

    def take(self, part: str) -> None:
        if not self.takes(part):
            raise TemplateError(f"no {part!r} at {self.text[self.at :][:40]!r}")

    def matched(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found

    def parenthesised(self) -> str:
        """Take (…), whose quotes may hold parentheses, and give what is between."""
        self.take("(")
        begin, depth, quote = self.at, 1, ""
        while depth:
            character = self.text[self.at]
            if quote:
                quote = "" if character == quote else quote
            elif character in "\"'":
                quote = character
            else:
                depth += {"(": 1, ")": -1}.get(character, 0)
            self.at += 1
        return self.text[begin : self.at - 1]


class Velocity:
    """Renders templates; what they have set stays in ``variables``."""

    def __init__(self, **variables: Any) -> None:
        self.variables: dict[str, Any] = {"util": Util(), **variables}

    def render(self, template: str) -> str:
        text = _Text(template)
        rendered = self._block(text, wanted=True)
        if text.at != len(template):
            raise TemplateError(f"left over: {template[text.at :][:40]!r}")
        return rendered

    def _block(self, text: _Text, *, wanted: bool) -> str:
        """Render up to the directive that ends the block, or skip it."""
        rendered = ""
        while text.at < len(text.text) and not _END.match(text.text, text.at):
            if _RUN_ON.match(text.text, text.at):
                raise TemplateError(f"a letter follows a directive: {text.text[text.at :][:40]!r}")
            if text.takes("#set"):
                name, _, value = text.parenthesised().partition("=")
                if wanted:
                    self._set(name.strip().removeprefix("$"), self._value(value))
            elif text.takes("#if"):
                rendered += self._if(text, wanted=wanted)
            elif text.takes("#foreach"):
                rendered += self._foreach(text, wanted=wanted)
            elif _ARTICLE.match(text.text, text.at):
                value = self._reference(text, wanted=wanted)
                rendered += str(value) if wanted else ""
            else:
                rendered += text.text[text.at] if wanted else ""
                text.at += 1
        return rendered

    def _if(self, text: _Text, *, wanted: bool) -> str:
        rendered, open_still = "", wanted
        condition = text.parenthesised()
        while True:
            chosen = open_still and bool(self._value(condition))
            rendered += self._block(text, wanted=chosen)
            open_still = open_still and not chosen
            if text.takes("#elseif"):
                condition = text.parenthesised()
                continue
            if text.takes("#else"):
                rendered += self._block(text, wanted=open_still)
            text.take("#end")
            return rendered

    def _foreach(self, text: _Text, *, wanted: bool) -> str:
        name, _, values = text.parenthesised().partition(" in ")
        begin, rendered = text.at, ""
        for value in self._value(values) if wanted else []:
            self._set(name.strip().removeprefix("$"), value)
            text.at = begin
            rendered += self._block(text, wanted=True)
        text.at = begin
        self._block(text, wanted=False)
        text.take("#end")
        return rendered

    def _set(self, name: str, value: Any) -> None:
        *path, last = name.split(".")
        target: Any = self.variables
        for part in path:
            target = target[part]
        target[last] = value

    def _value(self, expression: str) -> Any:
        """Evaluate an expression: alternatives, then a comparison, then a sum."""
        for symbol in ("||", "==", "!=", "+"):
            at = _outside_quotes(expression, symbol)
            if at is not None:
                one, other = self._value(expression[:at]), self._value(expression[at + len(symbol) :])
                return _combined(symbol, one, other)
        text = _Text(expression.strip())
        if text.text.isdecimal():
            return int(text.text)
        if text.text[:1] == "'":
            return text.text[1:-1]
        if text.text[:1] == '"':
            return Velocity(**self.variables).render(text.text[1:-1])
        value = self._reference(text, wanted=True)
        if text.at != len(text.text):
            raise TemplateError(f"no expression: {expression!r}")
        return value

    def _reference(self, text: _Text, *, wanted: bool) -> Any:
        found = text.matched(_ARTICLE)
        if found is None:
            raise TemplateError(f"no reference: {text.text[text.at :][:40]!r}")
        value = self._get(self.variables, found[2]) if wanted else None
        if found[1]:
            text.take("}")
            return value
        while text.text.startswith(".", text.at) and _NAME.match(text.text, text.at + 1):
            text.take(".")
            name = text.matched(_NAME)
            assert name is not None
            if text.text.startswith("(", text.at):
                argument = text.parenthesised()
                value = self._call(value, name[0], argument) if wanted else None
            else:
                value = self._get(value, name[0]) if wanted else None
        return value

    def _call(self, value: Any, name: str, argument: str) -> Any:
        arguments = [self._value(argument)] if argument else []
        methods = _METHODS.get(type(value))
        if methods is not None and name in methods:
            return methods[name](value, *arguments)
        if isinstance(value, Util | Input):
            return getattr(value, name)(*arguments)
        raise TemplateError(f"{value!r} has no method {name}")

    def _get(self, value: Any, name: str) -> Any:
        if isinstance(value, dict) and name in value:
            return value[name]
        if isinstance(value, Input) and name == "body":
            return value.body
        raise TemplateError(f"{value!r} has no {name}")


def _combined(symbol: str, one: Any, other: Any) -> Any:
    match symbol:
        case "||":
            return one or other
        case "==":
            return one == other
        case "!=":
            return one != other
        case _:
            return one + other


def _outside_quotes(expression: str, symbol: str) -> int | None:
    quote, depth = "", 0
    for at, character in enumerate(expression):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif depth == 0 and expression.startswith(symbol, at):
            return at
    return None
