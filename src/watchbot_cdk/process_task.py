"""Isolation.PROCESS: one task of the user's image, with the watcher put into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from watchbot.contract import (
    INSTALL_CONTAINER,
    LAUNCHER,
    RUNTIME_DIRECTORY,
    SCRATCH_DIRECTORY,
    WORKER_ENV_PREFIX,
    is_shadowed,
)
from watchbot_cdk.acknowledgements import acknowledge_image_pulls, acknowledge_task
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.containers import SCRATCH_VOLUME, container_log, loop_health, scratch
from watchbot_cdk.messages import Messages
from watchbot_cdk.rights import wildcards
from watchbot_cdk.roles import add_task_roles
from watchbot_cdk.settings import process_environment
from watchbot_cdk.sidecars import keep_essential
from watchbot_cdk.stacks import region_of
from watchbot_cdk.task_definition import add_task_definition
from watchbot_cdk.watcher_rights import grant_keys_and_topic, protecting, watching
from watchbot_cdk.worker_container import add_worker_container
from watchbot_cdk.worker_rights import grant_permissions, working

_T = TypeVar("_T")

_RUNTIME_VOLUME = "watchbot-runtime"


def add_process_task(
    scope: Construct,
    arguments: Arguments,
    messages: Messages,
    cluster: ecs.ICluster,
    log_group: logs.LogGroup,
    watcher_image: ecs.ContainerImage,
    service: str,
    stack: Stack,
) -> ecs.TaskDefinition:
    """Create the task definition: an init container brings the watcher, the user's container starts it.

    The worker shares the task's one role with its watcher: it may publish to the topic, do what ``permissions`` say,
    and also what the watcher may.
    """
    rights = [*watching(arguments, messages), *protecting(cluster, stack), *working(arguments, messages)]
    roles = add_task_roles(scope, "Task", rights, stack)
    definition = add_task_definition(scope, "Task", arguments, roles, [_RUNTIME_VOLUME, SCRATCH_VOLUME])
    settings = process_environment(arguments, messages, log_group, service, region_of(stack))
    worker = add_worker_container(
        definition,
        arguments,
        log_group,
        entry_point=[*LAUNCHER, "listen", "--"],
        command=arguments.command or (),
        environment={**_out_of_the_way(arguments.environment), **settings},
        secrets={**_out_of_the_way(arguments.secrets), **arguments.aws_connection.secrets()},
        health_check=loop_health(RUNTIME_DIRECTORY),
    )
    worker.add_mount_points(_runtime(read_only=True), scratch())
    install = _add_install(definition, log_group, watcher_image)
    install.add_mount_points(_runtime(read_only=False), scratch())
    worker.add_container_dependencies(
        ecs.ContainerDependency(container=install, condition=ecs.ContainerDependencyCondition.SUCCESS)
    )
    keep_essential(stack, definition, worker, install)
    grant_keys_and_topic(roles.task, arguments, stack)
    grant_permissions(roles.task, arguments, stack)
    acknowledge_task(definition, roles.task, wildcards(rights), stack)
    acknowledge_image_pulls(roles.execution)
    return definition


def _add_install(
    definition: ecs.TaskDefinition, log_group: logs.LogGroup, watcher_image: ecs.ContainerImage
) -> ecs.ContainerDefinition:
    """Add the container that fills the volumes and ends; it is root because ECS creates volumes as root's."""
    return definition.add_container(
        INSTALL_CONTAINER,
        image=watcher_image,
        command=["install", RUNTIME_DIRECTORY, "--scratch", SCRATCH_DIRECTORY],
        essential=False,
        user="0",
        readonly_root_filesystem=True,
        memory_reservation_mib=64,
        logging=container_log(log_group),
    )


def _runtime(*, read_only: bool) -> ecs.MountPoint:
    return ecs.MountPoint(source_volume=_RUNTIME_VOLUME, container_path=RUNTIME_DIRECTORY, read_only=read_only)


def _out_of_the_way(variables: Mapping[str, _T]) -> dict[str, _T]:
    """Rename what would steer the watcher in the same container; it gives the worker the names back."""
    return {f"{WORKER_ENV_PREFIX}{name}" if is_shadowed(name) else name: value for name, value in variables.items()}
