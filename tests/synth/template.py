"""A synthesised template, and how tests read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ecs as ecs

from watchbot_cdk import Watchbot

IMAGE = "public.ecr.aws/x/worker"


def image() -> ecs.ContainerImage:
    """Give an image that is in a registry, so that nothing is built."""
    return ecs.ContainerImage.from_registry(IMAGE)


class Template:
    """One stack's template."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self.resources: Mapping[str, Any] = template.get("Resources", {})
        self.outputs: Mapping[str, Any] = template.get("Outputs", {})

    def of_type(self, kind: str) -> dict[str, Any]:
        """Give the properties of every resource of this type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def one(self, kind: str, name_part: str = "") -> Any:
        """Give the properties of the only resource of this type with this in its logical id."""
        found = [properties for name, properties in self.of_type(kind).items() if name_part in name]
        assert len(found) == 1, f"{len(found)} of {kind} {name_part}"
        return found[0]

    def container(self, name: str) -> Any:
        """Give the only container of this name."""
        found = [
            container
            for definition in self.of_type("AWS::ECS::TaskDefinition").values()
            for container in definition["ContainerDefinitions"]
            if container["Name"] == name
        ]
        assert len(found) == 1, f"{len(found)} containers {name}"
        return found[0]

    def environment(self, container: str) -> dict[str, Any]:
        """Give a container's variables."""
        return {one["Name"]: one["Value"] for one in self.container(container).get("Environment", [])}

    def statements(self, role_part: str) -> list[dict[str, Any]]:
        """Give the policy statements of the role with this in its logical id."""
        return [
            statement
            for policy in self.of_type("AWS::IAM::Policy").values()
            if any(role_part in role["Ref"] for role in policy["Roles"])
            for statement in policy["PolicyDocument"]["Statement"]
        ]


def synth(build: Callable[[Stack], object], *, environment: Environment | None = None) -> Template:
    """Synthesise an app of one stack, Demo, that this builds."""
    app = App()
    stack = Stack(app, "Demo", env=environment)
    build(stack)
    return Template(app.synth().get_stack_by_name("Demo").template)


def synth_watchbot(**arguments: Any) -> Template:
    """Synthesise one Watchbot, svc, with these arguments."""
    return synth(lambda stack: Watchbot(stack, "svc", **{"image": image(), **arguments}))


def placeholders(value: Any) -> str:
    """Turn a value of a template into text, with <…> for what is known only at deployment."""
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(placeholders(part) for part in parts)
        case _:
            return f"<{json.dumps(value)}>".replace('"', "'")
