"""What a value of a template refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_SUBSTITUTED = re.compile(r"\$\{([^!}.]+)[^}]*\}")
"""``${Name}`` or ``${Name.Attribute}`` in Fn::Sub; ``${!Literal}`` stands for itself."""


def references(value: Any) -> Iterator[str]:
    """Give the names of resources, parameters and pseudo parameters that a value is made of."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": [str(text), dict(own)]}:
            yield from (name for name in _SUBSTITUTED.findall(text) if name not in own)
            yield from references(own)
        case {"Fn::Sub": str(text)}:
            yield from _SUBSTITUTED.findall(text)
        case _:
            for part in _parts(value):
                yield from references(part)


def imports(value: Any) -> Iterator[str]:
    """Give the names of other stacks' exports that a value is made of."""
    match value:
        case {"Fn::ImportValue": str(name)}:
            yield name
        case {"Fn::ImportValue": name}:
            yield str(name)  # computed: no export has this name, so it is found to be unknown
        case _:
            for part in _parts(value):
                yield from imports(part)


def _parts(value: Any) -> Iterator[Any]:
    match value:
        case dict():
            yield from value.values()
        case list() | tuple():
            yield from value
        case _:
            pass
