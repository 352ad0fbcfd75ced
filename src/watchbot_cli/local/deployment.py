"""Services with their queues in the embedded AWS: everything about them is known now."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from watchbot.contract import WORKER_ENV_PREFIX
from watchbot_cli.assembly import Assembly
from watchbot_cli.errors import UsageError
from watchbot_cli.local.data_plane import DataPlane
from watchbot_cli.local.emulator import Emulator
from watchbot_cli.local.service import Service, carried_name


@dataclasses.dataclass(frozen=True)
class Deployed:
    """One service, ready to run; ``environment`` is the worker's and the watcher's together."""

    name: str
    topic_arn: str
    queue_url: str
    dead_letter_queue_url: str
    command: list[str]
    environment: dict[str, str]
    watchers: int
    directory: Path | None


def secrets_of(service: Service) -> dict[str, str]:
    """Take the service's secrets from this shell; raises :class:`UsageError` naming those it does not have."""
    missing = [name for name in service.secrets if name not in os.environ]
    if missing:
        raise UsageError(
            f"{service.name} has secrets that are not on this machine: set {', '.join(missing)} in the environment"
        )
    return {carried_name(name): os.environ[name] for name in service.secrets}


def deploy(services: Sequence[Service], assembly: Assembly, emulator: Emulator) -> list[Deployed]:
    """Create the data plane of every stack that holds one of the services."""
    data_plane = DataPlane(assembly.templates, emulator)
    wanted: dict[str, list[Any]] = {}
    for service in services:
        _check(service, data_plane)
        wanted.setdefault(service.stack, []).extend(_values(service))
    created = {stack: iter(values) for stack, values in data_plane.create(wanted).items()}
    return [_deployed(service, created[service.stack]) for service in services]


def _values(service: Service) -> list[Any]:
    return [
        service.topic,
        service.queue,
        service.dead_letter_queue,
        *service.command,
        *service.environment.values(),
    ]


def _deployed(service: Service, values: Iterator[str]) -> Deployed:
    """Take the service's values, in the order in which they were wanted."""
    topic_arn, queue_url, dead_letter_queue_url = next(values), next(values), next(values)
    command = [next(values) for _ in service.command]
    environment = {name: next(values) for name in service.environment}
    return Deployed(
        name=service.name,
        topic_arn=topic_arn,
        queue_url=queue_url,
        dead_letter_queue_url=dead_letter_queue_url,
        command=command,
        environment=environment | secrets_of(service),
        watchers=service.watchers,
        directory=service.directory,
    )


def _check(service: Service, data_plane: DataPlane) -> None:
    named = {
        "its topic": service.topic,
        "its queue": service.queue,
        "its dead-letter queue": service.dead_letter_queue,
        "its command": list(service.command),
        **{f"{name.removeprefix(WORKER_ENV_PREFIX)} in its environment": v for name, v in service.environment.items()},
    }
    unknown = [name for name, value in named.items() if not data_plane.can_resolve(service.stack, value)]
    if unknown:
        raise UsageError(
            f"{service.name} cannot run on this machine: {', '.join(unknown)} refers to a resource that exists only "
            "in AWS"
        )
