"""The part of a template that holds data, created for real in the embedded AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from watchbot_cli.errors import CommandError
from watchbot_cli.local.emulator import Emulator

_KINDS = (
    "AWS::SQS::",
    "AWS::SNS::",
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::Logs::LogGroup",
)
_DEPLOY_SECONDS = 120.0


class DataPlane:
    """Queues, policies, topics, subscriptions, tables, buckets and log groups of one stack.

    Everything else of the template is left out: the embedded AWS refuses a whole template for one type it does not
    know, and nothing else is needed to run a service here.
    """

    def __init__(self, stack: str, template: Mapping[str, Any], emulator: Emulator) -> None:
        self._stack = stack
        self._emulator = emulator
        self._resources = _reduced(template)
        self._parameters = {
            name: parameter
            for name, parameter in template.get("Parameters", {}).items()
            if "Default" in parameter and not parameter["Type"].startswith("AWS::SSM::")
        }

    def can_resolve(self, value: Any) -> bool:
        """Whether everything this value refers to is in here."""
        known = self._resources.keys() | self._parameters.keys()
        return all(name.startswith("AWS::") or name in known for name in _references(value))

    def create(self, wanted: Iterable[Any]) -> list[str]:
        """Create everything and give each of these values as text."""
        values = list(wanted)
        outputs = {f"V{number}": {"Value": value} for number, value in enumerate(values)}
        cloudformation = self._emulator.client("cloudformation")
        template = {"Resources": self._resources, "Parameters": self._parameters, "Outputs": outputs}
        cloudformation.create_stack(StackName=self._stack, TemplateBody=json.dumps(template))
        created = self._until_created(cloudformation)
        found = {output["OutputKey"]: output["OutputValue"] for output in created.get("Outputs", [])}
        return [str(found[f"V{number}"]) for number in range(len(values))]

    def _until_created(self, cloudformation: Any) -> Mapping[str, Any]:
        until = time.monotonic() + _DEPLOY_SECONDS
        while True:
            stack: Mapping[str, Any] = cloudformation.describe_stacks(StackName=self._stack)["Stacks"][0]
            status = stack["StackStatus"]
            if status == "CREATE_COMPLETE":
                return stack
            if not status.endswith("_IN_PROGRESS") or time.monotonic() > until:
                why = stack.get("StackStatusReason") or status
                raise CommandError(f"the queues of stack {self._stack} could not be created on this machine: {why}")
            time.sleep(0.05)


def _reduced(template: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what holds data, as long as it refers to nothing that was left out."""
    kept = {
        name: {key: resource[key] for key in ("Type", "Properties") if key in resource}
        for name, resource in template["Resources"].items()
        if resource["Type"].startswith(_KINDS)
    }
    known = kept.keys() | template.get("Parameters", {}).keys()
    while True:
        broken = [
            name
            for name, resource in kept.items()
            if any(not one.startswith("AWS::") and one not in known for one in _references(resource))
        ]
        if not broken:
            return kept
        for name in broken:
            del kept[name]
        known = kept.keys() | template.get("Parameters", {}).keys()


def _references(value: Any) -> Iterable[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            yield from (part.partition("}")[0].partition(".")[0] for part in text.split("${")[1:])
        case dict():
            for part in value.values():
                yield from _references(part)
        case list():
            for part in value:
                yield from _references(part)
        case _:
            pass
