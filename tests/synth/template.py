"""A synthesised template, and how tests read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from watchbot.contract import WATCHER_CONTAINER, Settings
from watchbot_cdk import Watchbot

IMAGE = "public.ecr.aws/x/worker"


def image() -> ecs.ContainerImage:
    """Give an image that is in a registry, so that nothing is built."""
    return ecs.ContainerImage.from_registry(IMAGE)


class Template:
    """One stack's template."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self.whole = template
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
        found = self._containers(name)
        assert len(found) == 1, f"{len(found)} containers {name}"
        return found[0]

    def environment(self, container: str) -> dict[str, Any]:
        """Give the variables of the only container of this name."""
        (environment,) = self.environments(container)
        return environment

    def environments(self, container: str) -> list[dict[str, Any]]:
        """Give the variables of each container of this name."""
        return [
            {one["Name"]: one["Value"] for one in each.get("Environment", [])} for each in self._containers(container)
        ]

    def _containers(self, name: str) -> list[Any]:
        return [
            container
            for definition in self.of_type("AWS::ECS::TaskDefinition").values()
            for container in definition["ContainerDefinitions"]
            if container["Name"] == name
        ]

    def statements(self, role_part: str) -> list[dict[str, Any]]:
        """Give the policy statements of the role with this in its logical id: its own, then those attached to it.

        A task's execution role is a child of the task's role, and is meant only when it is named.
        """

        def is_meant(name: str) -> bool:
            return role_part in name and ("Execution" in role_part or "Execution" not in name)

        documents = [
            policy["PolicyDocument"]
            for name, role in self.of_type("AWS::IAM::Role").items()
            if is_meant(name)
            for policy in role.get("Policies", [])
        ]
        documents += [
            policy["PolicyDocument"]
            for policy in self.of_type("AWS::IAM::Policy").values()
            if any(is_meant(role["Ref"]) for role in policy.get("Roles", []))
        ]
        return [statement for document in documents for statement in document["Statement"]]


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
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case _:
            return f"<{json.dumps(value)}>".replace('"', "'")


def watcher_settings(template: Template, container: str = WATCHER_CONTAINER) -> Settings:
    """Read the settings of the only watcher in this container as it will."""
    environment = {name: placeholders(value) for name, value in template.environment(container).items()}
    for name in ("WATCHBOT_QUEUE_URL", "WATCHBOT_DEAD_LETTER_QUEUE_URL"):
        assert "'Ref'" in environment[name]
        environment[name] = "https://sqs.example/queue"
    if environment["WATCHBOT_REGION"] == "<{'Ref': 'AWS::Region'}>":
        environment["WATCHBOT_REGION"] = "us-east-1"
    return Settings.from_env(environment)


def cluster_with_instances(stack: Stack, vpc: ec2.IVpc) -> ecs.ICluster:
    """Give a cluster in which tasks run on EC2, too."""
    instances = ec2.SecurityGroup(stack, "Instances", vpc=vpc)
    return ecs.Cluster.from_cluster_attributes(
        stack, "Mine", cluster_name="mine", vpc=vpc, security_groups=[instances], has_ec2_capacity=True
    )


def synth_in_cluster(arguments: dict[str, Any] | Callable[[Stack, ec2.Vpc], dict[str, Any]]) -> Template:
    """Synthesise a Watchbot in a cluster with instances, in a VPC with public and private subnets."""

    def build(stack: Stack) -> None:
        vpc = ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=1)
        found = arguments if isinstance(arguments, dict) else arguments(stack, vpc)
        Watchbot(stack, "svc", **{"image": image(), "cluster": cluster_with_instances(stack, vpc), **found})

    return synth(build)
