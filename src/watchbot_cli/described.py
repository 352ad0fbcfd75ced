"""The Watchbots of an app's templates, by the descriptions in their stack outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchbot.contract import OUTPUT_SUFFIX, Description, DescriptionError
from watchbot_cli import service_choice
from watchbot_cli.errors import CommandError


class Described:
    """One description; what is known only at deployment stands for the resource that it refers to."""

    def __init__(self, stack: str, template: Mapping[str, Any], value: Any) -> None:
        self.stack = stack
        self.template = template
        self._intrinsics: list[Any] = []
        try:
            self.description = Description.from_json(self._placeholders(value))
        except DescriptionError as error:
            raise CommandError(f"stack {stack}: {error}") from error

    @property
    def name(self) -> str:
        """The service's name."""
        return self.description.service

    def intrinsic(self, placeholder: str) -> Any:
        """Give what a value of the description stands for in the template."""
        is_one = placeholder.startswith("@") and placeholder.endswith("@")
        return self._intrinsics[int(placeholder[1:-1])] if is_one else placeholder

    def _placeholders(self, value: Any) -> str:
        match value:
            case str():
                return value
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self._placeholders(part) for part in parts)
            case _:
                self._intrinsics.append(value)
                return f"@{len(self._intrinsics) - 1}@"


def find_described(templates: Mapping[str, Mapping[str, Any]]) -> list[Described]:
    """Read all Watchbots of the templates, which are named by their stacks."""
    return [
        Described(stack, template, output["Value"])
        for stack, template in templates.items()
        for name, output in template.get("Outputs", {}).items()
        if name.endswith(OUTPUT_SUFFIX)
    ]


def choose(found: Sequence[Described], wanted: str | None) -> list[Described]:
    """Choose all, or the one that ``--service`` names by its construct id or whole path."""
    names = service_choice.choose([one.name for one in found], wanted, "the app")
    return [one for one in found if one.name in names]
