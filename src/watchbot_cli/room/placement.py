"""Where workers run, as the deployed service says it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from watchbot.contract import PREFIX, Description, Isolation, LaunchType, Settings, SettingsError
from watchbot_cli.ecs_service import describe_service
from watchbot_cli.errors import CommandError
from watchbot_cli.room.demand import Demand

_MARK = f"{PREFIX}QUEUE_URL"
"""The variable that a watcher's container has, whatever it is called."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlacement:
    """The tasks that workers run in, and where ECS may place them.

    ``providers`` are capacity providers, FARGATE and FARGATE_SPOT among them; None stands for every instance of the
    cluster. ``group`` is what ECS counts a task to, for constraints that no two of a group share an instance.
    """

    cluster: str
    task_definition: str
    demand: Demand
    workers_per_task: int
    providers: tuple[str | None, ...]
    constraints: tuple[Mapping[str, str], ...]
    group: str


def worker_placement(ecs: Any, found: Description) -> WorkerPlacement:
    """Read it from the ECS service and from what its watcher is told; raises :class:`CommandError`."""
    service = describe_service(ecs, found.cluster, found.ecs_service)
    watcher = _definition(ecs, service["taskDefinition"])
    settings = _settings(watcher)
    if found.isolation is Isolation.PROCESS:
        return _of_processes(found.cluster, service, watcher, settings)
    return _of_tasks(ecs, settings)


def _of_processes(
    cluster: str, service: Mapping[str, Any], watcher: Mapping[str, Any], settings: Settings
) -> WorkerPlacement:
    """Workers are processes of the service's own tasks, so many in each.

    Where the weight is 0 ECS places no more than a base, unless there is no other place:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html
    """
    strategy = service.get("capacityProviderStrategy", ())
    used = [one for one in strategy if one.get("weight")] or strategy
    providers = tuple(one["capacityProvider"] for one in used)
    return WorkerPlacement(
        cluster=cluster,
        task_definition=watcher["taskDefinitionArn"],
        demand=Demand.of(watcher),
        workers_per_task=settings.workers,
        providers=providers or (_provider_of(service.get("launchType", "EC2")),),
        constraints=(*service.get("placementConstraints", ()), *watcher.get("placementConstraints", ())),
        group=f"service:{service['serviceName']}",
    )


def _of_tasks(ecs: Any, settings: Settings) -> WorkerPlacement:
    """Each worker is a task that the watcher runs; without a group of its own ECS counts it to its family.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
    """
    if settings.cluster is None or settings.task_definition is None:
        raise CommandError("the service says TASK and its watcher is told of no cluster: deploy the stack again")
    worker = _definition(ecs, settings.task_definition)
    return WorkerPlacement(
        cluster=settings.cluster,
        task_definition=worker["taskDefinitionArn"],
        demand=Demand.of(worker),
        workers_per_task=1,
        providers=tuple(name for name, _ in settings.task_capacity) or (_provider_of(settings.task_launch_type.value),),
        constraints=(*settings.task_placement_constraints, *worker.get("placementConstraints", ())),
        group=f"family:{worker['family']}",
    )


def _provider_of(launch_type: str) -> str | None:
    return None if launch_type.lower() == LaunchType.EC2 else launch_type.upper()


def _definition(ecs: Any, arn: str) -> dict[str, Any]:
    definition: dict[str, Any] = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return definition


def _settings(watcher: Mapping[str, Any]) -> Settings:
    arn = watcher["taskDefinitionArn"]
    for container in watcher["containerDefinitions"]:
        variables = {one["name"]: one["value"] for one in container.get("environment", ())}
        if _MARK in variables:
            try:
                return Settings.from_env(variables)
            except SettingsError as error:
                raise CommandError(f"the watcher of {arn} cannot be understood: {error}") from error
    raise CommandError(f"no container of {arn} is a watcher: none has the variable {_MARK}")
