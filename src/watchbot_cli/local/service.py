"""A Watchbot as its template describes it, and what of it runs on this machine."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchbot.contract import (
    OUTPUT_SUFFIX,
    WATCHER_CONTAINER,
    WORKER_CONTAINER,
    WORKER_ENV_PREFIX,
    Description,
    DescriptionError,
    Isolation,
    is_hmac_setting,
    is_shadowed,
    is_task_setting,
)
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.local.assembly import Assembly


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
    directory: Path | None


def find_services(assembly: Assembly, wanted: str | None) -> list[Service]:
    """Read the app's Watchbots from their stack outputs, all of them or the one that is wanted."""
    readers = [
        _Reader(assembly, stack, template, output["Value"])
        for stack, template in assembly.templates.items()
        for name, output in template.get("Outputs", {}).items()
        if name.endswith(OUTPUT_SUFFIX)
    ]
    if not readers:
        raise UsageError("the app holds no Watchbot")
    chosen = [reader for reader in readers if wanted in (None, reader.name, reader.name.rpartition("/")[2])]
    names = ", ".join(reader.name for reader in readers)
    if not chosen:
        raise UsageError(f"--service {wanted!r} is not in the app, which holds {names}")
    if wanted is not None and len(chosen) > 1:
        raise UsageError(f"--service {wanted!r} is the id of several Watchbots, say which of {names}")
    return [reader.read() for reader in chosen]


class _Reader:
    """Reads one description; what is known only at deployment stands for the resource that it refers to."""

    def __init__(self, assembly: Assembly, stack: str, template: Mapping[str, Any], value: Any) -> None:
        self._assembly = assembly
        self._stack = stack
        self._template = template
        self._intrinsics: list[Any] = []
        try:
            self._description = Description.from_json(self._placeholders(value))
        except DescriptionError as error:
            raise CommandError(f"stack {stack}: {error}") from error

    @property
    def name(self) -> str:
        return self._description.service

    def read(self) -> Service:
        description = self._description
        watcher = self._container(description.task_definition, _WATCHERS[description.isolation])
        worker = self._container(description.worker_task_definition, WORKER_CONTAINER)
        command = worker.get("Command")
        if not command:
            raise UsageError(
                f"{description.service} cannot run on this machine: it has no command, and without Docker its image's "
                "own entry point cannot be started; give the Watchbot a command"
            )
        queue = self._resource(description.queue_url)
        service = self._resource(description.ecs_service)
        count = service["Properties"].get("DesiredCount", 1)
        return Service(
            stack=self._stack,
            name=description.service,
            topic=self._intrinsic(description.topic_arn),
            queue=self._intrinsic(description.queue_url),
            dead_letter_queue=self._intrinsic(description.dead_letter_queue_url),
            command=tuple(command),
            environment=_environment(watcher, worker),
            secrets=tuple(secret["Name"].removeprefix(WORKER_ENV_PREFIX) for secret in worker.get("Secrets", [])),
            watchers=count if isinstance(count, int) else 1,
            fifo=bool(queue["Properties"].get("FifoQueue", False)),
            directory=self._image_directory(worker.get("Image")),
        )

    def _placeholders(self, value: Any) -> str:
        match value:
            case str():
                return value
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self._placeholders(part) for part in parts)
            case _:
                self._intrinsics.append(value)
                return f"@{len(self._intrinsics) - 1}@"

    def _intrinsic(self, placeholder: str) -> Any:
        is_one = placeholder.startswith("@") and placeholder.endswith("@")
        return self._intrinsics[int(placeholder[1:-1])] if is_one else placeholder

    def _resource(self, placeholder: str) -> Mapping[str, Any]:
        match self._intrinsic(placeholder):
            case {"Ref": str(name)} if name in self._template["Resources"]:
                resource: Mapping[str, Any] = self._template["Resources"][name]
                return resource
            case _:
                raise UsageError(
                    f"{self.name} cannot run on this machine: it is in a nested stack of {self._stack}; "
                    "put it into a stack of its own"
                )

    def _container(self, definition: str, name: str) -> Mapping[str, Any]:
        containers = self._resource(definition)["Properties"]["ContainerDefinitions"]
        container: Mapping[str, Any] = next(one for one in containers if one["Name"] == name)
        return container

    def _image_directory(self, image: Any) -> Path | None:
        text = json.dumps(image)
        return next((path for key, path in self._assembly.image_directories.items() if key in text), None)


_WATCHERS = {Isolation.TASK: WATCHER_CONTAINER, Isolation.PROCESS: WORKER_CONTAINER}


def _environment(watcher: Mapping[str, Any], worker: Mapping[str, Any]) -> dict[str, Any]:
    """Join the worker's variables and the watcher's settings, less those of ECS and of a webhook, which is not here.

    The watcher shares the worker's environment here, whatever the isolation: what would steer it stays behind a
    prefix, or a worker's region or proxy would keep it from its queue.
    """
    variables = [*worker.get("Environment", []), *watcher.get("Environment", [])]
    here = [one for one in variables if not (is_task_setting(one["Name"]) or is_hmac_setting(one["Name"]))]
    return {carried_name(one["Name"]): one["Value"] for one in here}


def carried_name(name: str) -> str:
    """Give the name under which the watcher takes a variable for its worker."""
    return f"{WORKER_ENV_PREFIX}{name}" if is_shadowed(name) else name
