"""Containers that users add to a task: none may end it, and none is gone before the worker."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import cast

import jsii
from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from constructs import IValidation

from watchbot_cdk.remembered import remembered

_HEALTHY = ecs.ContainerDependencyCondition.HEALTHY
"""What the CDK takes a dependency for that names no condition."""


def keep_essential(stack: Stack, definition: ecs.TaskDefinition, *ours: ecs.ContainerDefinition) -> None:
    """Keep the first of our containers the only essential one of its task, whatever is added until synthesis.

    When an essential container ends, ECS stops the others: a worker that is told so may well exit with 0, and no one
    sees that its job is not done. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
    """
    _tasks_of(stack).tasks.append(_Task(definition, ours[0], len(ours)))


@dataclasses.dataclass(frozen=True)
class _Task:
    """A task, the container that it is there for, and how many containers are ours: the first ones in it."""

    definition: ecs.TaskDefinition
    main: ecs.ContainerDefinition
    ours: int

    def check(self) -> Iterable[str]:
        """Say which containers must not be essential; when none is, have the main one outlived by the others."""
        # The CDK has no public list; what is below the task's node lacks containers that were made elsewhere.
        added = self.definition._containers[self.ours :]  # noqa: SLF001
        essential = [container.container_name for container in added if container.essential]
        if essential:
            yield (
                f"{self.definition.node.path}: containers must not be essential beside {self.main.container_name}, got "
                f"{', '.join(essential)}: ECS stops the task, with the job that runs in it, when one of them ends; add "
                "them with essential=False, a FireLens router by add_firelens_log_router"
            )
            return
        if added:
            _outlive(self.definition, self.main, added)


@jsii.implements(IValidation)
class _Tasks:
    """The tasks of a stack. One validation sees them all: each is an object of the CDK's process, slow to make."""

    def __init__(self) -> None:
        self.tasks: list[_Task] = []

    def validate(self) -> list[str]:
        """Give what is wrong, as the CDK asks for it: after all aspects, and before anything is written."""
        return [problem for task in self.tasks for problem in task.check()]


@remembered
def _tasks_of(stack: Stack) -> _Tasks:
    found = _Tasks()
    stack.node.add_validation(found)
    return found


def _outlive(
    definition: ecs.TaskDefinition, main: ecs.ContainerDefinition, sidecars: Sequence[ecs.ContainerDefinition]
) -> None:
    """Start sidecars before the main container and stop them after it, unless one waits for the other already.

    ECS stops containers in the reverse order of their start:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html

    Older versions of the CDK have read the container's own list before they validate.
    """
    written = {one.container.container_name: one.condition or _HEALTHY for one in main.container_dependencies}
    awaited, name = _awaited(main), main.container_name
    added: dict[str, ecs.ContainerDependencyCondition] = {}
    for sidecar in sidecars:
        if sidecar.container_name not in awaited and name not in _awaited(sidecar):
            has_health = sidecar.render_container_definition().health_check is not None
            added[sidecar.container_name] = _HEALTHY if has_health else ecs.ContainerDependencyCondition.START
    if added:
        cast(ecs.CfnTaskDefinition, definition.node.default_child).add_property_override(
            "ContainerDefinitions.0.DependsOn",
            [{"ContainerName": one, "Condition": condition.value} for one, condition in {**written, **added}.items()],
        )


def _awaited(container: ecs.ContainerDefinition) -> set[str]:
    """Give the names of the containers that one waits for, and of those that they wait for."""
    found: set[str] = set()
    ahead = [container]
    while ahead:
        for dependency in ahead.pop().container_dependencies:
            name = dependency.container.container_name
            if name not in found:
                found.add(name)
                ahead.append(dependency.container)
    return found
