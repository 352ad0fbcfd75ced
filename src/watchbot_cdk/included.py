"""Resources that are plain CloudFormation and come in numbers: a template that the CDK reads in one go."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from aws_cdk import CfnResource
from aws_cdk.cloudformation_include import CfnInclude
from constructs import Construct

Resource = Mapping[str, Any]
"""``Type`` and ``Properties``, as a template has them."""

_T = TypeVar("_T", bound=CfnResource)


def include(scope: Construct, construct_id: str, resources: Mapping[str, Resource]) -> CfnInclude:
    """Create resources by these ids, as children of a construct of that id.

    They are the CDK's own constructs in the end, with tags and all. Made one by one each would be a call of the CDK's
    process, with all the properties it could have checked twice before.
    """
    with tempfile.TemporaryDirectory(prefix="watchbot-") as folder:
        template = Path(folder) / "template.json"
        template.write_text(json.dumps({"Resources": resources}))
        return CfnInclude(scope, construct_id, template_file=str(template), preserve_logical_ids=False)


class Included(Mapping[str, _T], Generic[_T]):
    """Some of the included resources, by names of ours for their ids; each is asked for when it is used."""

    def __init__(self, included: CfnInclude | None, ids: Mapping[str, str]) -> None:
        self._included = included
        self._ids = ids
        self._found: dict[str, _T] = {}

    def __getitem__(self, name: str) -> _T:
        """Give the resource of this name; raises KeyError where there is none."""
        if name not in self._found:
            construct_id = self._ids[name]
            assert self._included is not None  # noqa: S101 - where there are ids there are resources
            self._found[name] = cast(_T, self._included.get_resource(construct_id))
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        """Give the names."""
        return iter(self._ids)

    def __len__(self) -> int:
        """Count them."""
        return len(self._ids)
