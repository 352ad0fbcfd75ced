"""The part of an app's templates that holds data, created for real in the embedded AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from watchbot_cli.errors import CommandError
from watchbot_cli.intrinsics import imports, references
from watchbot_cli.local.emulator import Emulator

_KINDS = (
    "AWS::SQS::",
    "AWS::SNS::",
    "AWS::DynamoDB::Table",
    "AWS::Events::",
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
)
_KEPT = ("Type", "Properties", "Condition")
_DEPLOY_SECONDS = 120.0


class DataPlane:
    """Queues, policies, topics, subscriptions, rules, tables, buckets, keys and log groups of the app's stacks.

    Everything else of the templates is left out: the embedded AWS refuses a whole template for one type it does not
    know, and nothing else is needed to run a service here. A stack that imports from another has that one created
    first.
    """

    def __init__(self, templates: Mapping[str, Mapping[str, Any]], emulator: Emulator) -> None:
        self._templates = templates
        self._cloudformation = emulator.client("cloudformation")
        self._sns = emulator.client("sns")
        self._exports = {
            name: (stack, output["Value"])
            for stack, template in templates.items()
            for output in template.get("Outputs", {}).values()
            if isinstance(name := output.get("Export", {}).get("Name"), str)
        }
        self._resources: dict[str, dict[str, Any]] = {}
        self._created: dict[str, list[str]] = {}

    def can_resolve(self, stack: str, value: Any) -> bool:
        """Whether everything that this value of the stack's template refers to is in here."""
        known = self._resources_of(stack).keys() | self._parameters(stack).keys()
        return self._is_known(value, known)

    def create(self, wanted: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[str]]:
        """Create these stacks and give each of the values that are wanted of them as text."""
        for stack in wanted:
            self._create(stack, wanted)
        return self._created

    def _create(self, stack: str, wanted: Mapping[str, Sequence[Any]]) -> None:
        if stack in self._created:
            return
        values = wanted.get(stack, ())
        resources = self._resources_of(stack)
        for name in imports([resources, values]):
            self._create(self._exports[name][0], wanted)
        template = {
            **{part: self._templates[stack].get(part, {}) for part in ("Conditions", "Mappings")},
            "Parameters": self._parameters(stack),
            "Resources": resources,
            "Outputs": {f"V{number}": {"Value": value} for number, value in enumerate(values)} | self._shared(stack),
        }
        self._cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
        found = {output["OutputKey"]: output["OutputValue"] for output in self._outputs(stack)}
        self._order_topics(stack, resources)
        self._created[stack] = [str(found[f"V{number}"]) for number in range(len(values))]

    def _outputs(self, stack: str) -> list[dict[str, str]]:
        """Wait until the stack is there."""
        until = time.monotonic() + _DEPLOY_SECONDS
        while True:
            found = self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
            status = found["StackStatus"]
            if status == "CREATE_COMPLETE":
                outputs: list[dict[str, str]] = found.get("Outputs", [])
                return outputs
            if not status.endswith("_IN_PROGRESS") or time.monotonic() > until:
                why = found.get("StackStatusReason") or status
                raise CommandError(f"the queues of stack {stack} could not be created on this machine: {why}")
            time.sleep(0.05)

    def _order_topics(self, stack: str, resources: Mapping[str, Any]) -> None:
        """Make the FIFO topics of a stack FIFO: the CloudFormation of the embedded AWS makes standard ones of them."""
        for name, resource in resources.items():
            properties = resource.get("Properties", {})
            if resource["Type"] != "AWS::SNS::Topic" or not properties.get("FifoTopic"):
                continue
            found = self._cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=name)
            arn = found["StackResourceDetail"]["PhysicalResourceId"]
            by_content = str(bool(properties.get("ContentBasedDeduplication"))).lower()
            for attribute, value in (("FifoTopic", "true"), ("ContentBasedDeduplication", by_content)):
                self._sns.set_topic_attributes(TopicArn=arn, AttributeName=attribute, AttributeValue=value)

    def _shared(self, stack: str) -> dict[str, Any]:
        """Give the outputs that other stacks may import."""
        return {
            f"E{number}": {"Value": value, "Export": {"Name": name}}
            for number, (name, (owner, value)) in enumerate(self._exports.items())
            if owner == stack and self.can_resolve(stack, value)
        }

    def _parameters(self, stack: str) -> dict[str, Any]:
        return {
            name: parameter
            for name, parameter in self._templates[stack].get("Parameters", {}).items()
            if "Default" in parameter and not parameter["Type"].startswith("AWS::SSM::")
        }

    def _resources_of(self, stack: str) -> dict[str, Any]:
        """Give what holds data in this stack, as long as it refers to nothing that was left out."""
        if stack not in self._resources:
            kept = {
                name: {part: resource[part] for part in _KEPT if part in resource}
                for name, resource in self._templates[stack].get("Resources", {}).items()
                if resource["Type"].startswith(_KINDS)
            }
            while broken := list(self._broken(stack, kept)):
                kept = {name: resource for name, resource in kept.items() if name not in broken}
            self._resources[stack] = kept
        return self._resources[stack]

    def _broken(self, stack: str, resources: Mapping[str, Any]) -> Iterator[str]:
        known = resources.keys() | self._parameters(stack).keys()
        return (name for name, resource in resources.items() if not self._is_known(resource, known))

    def _is_known(self, value: Any, known: set[str]) -> bool:
        return all(name.startswith("AWS::") or name in known for name in references(value)) and all(
            name in self._exports and self.can_resolve(*self._exports[name]) for name in imports(value)
        )
