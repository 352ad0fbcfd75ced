"""A Watchbot as its template describes it, and what of it runs on this machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchbot.contract import (
    WATCHER_CONTAINER,
    WORKER_CONTAINER,
    WORKER_ENV_PREFIX,
    Isolation,
    is_connection_setting,
    is_hmac_setting,
    is_shadowed,
    is_task_setting,
)
from watchbot_cli.assembly import Assembly
from watchbot_cli.described import Described, choose, find_described
from watchbot_cli.errors import UsageError


@dataclasses.dataclass(frozen=True)
class Service:
    """One Watchbot. Values of ``environment`` and ``command`` may be intrinsics that the data plane resolves."""

    stack: str
    name: str
    topic: Any
    queue: Any
    dead_letter_queue: Any
    command: tuple[Any, ...]
    environment: Mapping[str, Any]
    secrets: tuple[str, ...]
    watchers: int
    fifo: bool
    isolation: Isolation
    image: Any
    directory: Path | None


def find_services(assembly: Assembly, wanted: str | None, *, without_docker: bool = True) -> list[Service]:
    """Read the app's Watchbots from their stack outputs, all of them or the one that is wanted.

    Raises :class:`UsageError` for one that has no command, which only Docker could start.
    """
    found = [_Reader(assembly, one).read() for one in choose(find_described(assembly.templates), wanted)]
    for service in found:
        if without_docker and not service.command:
            raise UsageError(
                f"{service.name} cannot run on this machine: it has no command, and without Docker its image's "
                "own entry point cannot be started; give the Watchbot a command"
            )
    return found


class _Reader:
    """Reads what a description refers to."""

    def __init__(self, assembly: Assembly, described: Described) -> None:
        self._assembly = assembly
        self._described = described

    def read(self) -> Service:
        description = self._described.description
        watcher = self._container(description.task_definition, _WATCHERS[description.isolation])
        worker = self._container(description.worker_task_definition, WORKER_CONTAINER)
        queue = self._resource(description.queue_url)
        service = self._resource(description.ecs_service)
        count = service["Properties"].get("DesiredCount", 1)
        return Service(
            stack=self._described.stack,
            name=description.service,
            topic=self._described.intrinsic(description.topic_arn),
            queue=self._described.intrinsic(description.queue_url),
            dead_letter_queue=self._described.intrinsic(description.dead_letter_queue_url),
            command=tuple(worker.get("Command", ())),
            environment=_environment(watcher, worker),
            secrets=_secrets(worker),
            watchers=count if isinstance(count, int) else 1,
            fifo=bool(queue["Properties"].get("FifoQueue", False)),
            isolation=description.isolation,
            image=worker.get("Image"),
            directory=self._image_directory(worker.get("Image")),
        )

    def _resource(self, placeholder: str) -> Mapping[str, Any]:
        match self._described.intrinsic(placeholder):
            case {"Ref": str(name)} if name in self._described.template["Resources"]:
                resource: Mapping[str, Any] = self._described.template["Resources"][name]
                return resource
            case _:
                raise UsageError(
                    f"{self._described.name} cannot run on this machine: it is in a nested stack of "
                    f"{self._described.stack}; put it into a stack of its own"
                )

    def _container(self, definition: str, name: str) -> Mapping[str, Any]:
        containers = self._resource(definition)["Properties"]["ContainerDefinitions"]
        container: Mapping[str, Any] = next(one for one in containers if one["Name"] == name)
        return container

    def _image_directory(self, image: Any) -> Path | None:
        source = self._assembly.source_of(image)
        return None if source is None else Path(source["directory"])


_WATCHERS = {Isolation.TASK: WATCHER_CONTAINER, Isolation.PROCESS: WORKER_CONTAINER}


def _environment(watcher: Mapping[str, Any], worker: Mapping[str, Any]) -> dict[str, Any]:
    """Join the worker's variables and the watcher's settings, less those of ECS, AWS and a webhook, which are not here.

    The watcher shares the worker's environment here, whatever the isolation: what would steer it stays behind a
    prefix, or a worker's region or proxy would keep it from its queue.
    """
    variables = [*worker.get("Environment", []), *watcher.get("Environment", [])]
    elsewhere = (is_task_setting, is_hmac_setting, is_connection_setting)
    here = [one for one in variables if not any(is_setting(one["Name"]) for is_setting in elsewhere)]
    return {carried_name(one["Name"]): one["Value"] for one in here}


def _secrets(worker: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the variables that the worker's container has from secrets, less those that are the watcher's."""
    names = (secret["Name"] for secret in worker.get("Secrets", []))
    return tuple(name.removeprefix(WORKER_ENV_PREFIX) for name in names if not is_connection_setting(name))


def carried_name(name: str) -> str:
    """Give the name under which the watcher takes a variable for its worker."""
    return f"{WORKER_ENV_PREFIX}{name}" if is_shadowed(name) else name
