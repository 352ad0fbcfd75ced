"""The task definition that workers run in, on Fargate or on EC2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from aws_cdk import Tokenization
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from watchbot_cdk.arguments import Arguments
from watchbot_cdk.platform import platform_names
from watchbot_cdk.remembered import remembered
from watchbot_cdk.roles import TaskRoles


def add_task_definition(
    scope: Construct, construct_id: str, arguments: Arguments, roles: TaskRoles, volumes: Sequence[str] = ()
) -> ecs.TaskDefinition:
    """Create a task definition of the size asked for, with empty volumes of these names, without containers.

    On EC2 its size is a limit on the whole task as on Fargate, but for memory of which less is to be reserved; and
    tasks share the network of their instance unless subnets were asked for.
    """
    if not arguments.placement.capacity.is_ec2:
        return ecs.FargateTaskDefinition(
            scope,
            construct_id,
            task_role=roles.task,
            execution_role=roles.execution,
            cpu=arguments.cpu,
            memory_limit_mib=arguments.memory_limit_mib,
            runtime_platform=arguments.runtime_platform,
            ephemeral_storage_gib=arguments.worker.ephemeral_storage_gib,
            family=arguments.worker.family,
            volumes=[ecs.Volume(name=volume) for volume in volumes],
        )
    shared = arguments.placement.shares_instance_network
    memory = None if arguments.worker.memory_reservation_mib is not None else arguments.memory_limit_mib
    definition = ecs.TaskDefinition(
        scope,
        construct_id,
        task_role=roles.task,
        execution_role=roles.execution,
        compatibility=ecs.Compatibility.EC2,
        cpu=Tokenization.stringify_number(arguments.cpu),
        memory_mib=None if memory is None else Tokenization.stringify_number(memory),
        family=arguments.worker.family,
        volumes=[ecs.Volume(name=volume) for volume in volumes],
        network_mode=ecs.NetworkMode.BRIDGE if shared else ecs.NetworkMode.AWS_VPC,
    )
    if arguments.runtime_platform is not None:
        _set_platform(definition, arguments.runtime_platform)
    return definition


@remembered
def definition_arn(definition: ecs.TaskDefinition) -> str:
    """Give its ARN, with its revision."""
    return definition.task_definition_arn


def _set_platform(definition: ecs.TaskDefinition, platform: ecs.RuntimePlatform) -> None:
    """Name the processor, which ECS takes on EC2, too, and the CDK does not."""
    architecture, system = platform_names(platform)
    cast(
        ecs.CfnTaskDefinition, definition.node.default_child
    ).runtime_platform = ecs.CfnTaskDefinition.RuntimePlatformProperty(
        cpu_architecture=architecture, operating_system_family=system
    )
