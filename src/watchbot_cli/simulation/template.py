"""A CloudFormation template as the simulation reads it: resources, and values that are known before deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from watchbot_cli.errors import UsageError
from watchbot_cli.intrinsics import references


class Template:
    """Resources by their logical ids. Parameters stand for their defaults."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self._parameters: Mapping[str, Any] = body.get("Parameters", {})
        self.resources: Mapping[str, Any] = body.get("Resources", {})

    def of_type(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Give the logical ids and properties of the resources of a type."""
        for name, resource in self.resources.items():
            if resource.get("Type") == kind:
                yield name, resource.get("Properties", {})

    def referred(self, value: Any, kind: str) -> str | None:
        """Give the logical id of the resource of this type that a value refers to."""
        return next((one for one in references(value) if self.resources.get(one, {}).get("Type") == kind), None)

    def properties(self, name: str) -> Mapping[str, Any]:
        """Give the properties of a resource."""
        found: Mapping[str, Any] = self.resources[name].get("Properties", {})
        return found

    def text(self, value: Any) -> str | None:
        """Give the text of a value; None where it is known only at deployment."""
        match value:
            case str() | int() | float():
                return str(value)
            case {"Ref": str(name)} if "Default" in self._parameters.get(name, {}):
                return str(self._parameters[name]["Default"])
            case {"Fn::Join": [str(separator), list(parts)]}:
                texts = [self.text(part) for part in parts]
                return None if None in texts else separator.join(map(str, texts))
            case _:
                return None

    def number(self, value: Any, what: str) -> float:
        """Give a value that must be a number known before deployment; ``what`` names it in the refusal."""
        text = self.text(value)
        if text is None:
            raise UsageError(f"{what} must be known before deployment, got {value!r}: give its parameter a default")
        try:
            return float(text)
        except ValueError:
            raise UsageError(f"{what} must be a number, got {text!r}") from None

    def truth(self, value: Any, what: str) -> bool:
        """Give a value that must be true or false, as JSON or as text, before deployment."""
        text = str(self.text(value)).lower()
        if text not in ("true", "false"):
            raise UsageError(f"{what} must be true or false before deployment, got {value!r}")
        return text == "true"

    def whole(self, value: Any, what: str) -> int:
        """Give a value that must be a whole number known before deployment."""
        return int(self.number(value, what))
