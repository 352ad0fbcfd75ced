"""An ECS task on a Docker engine: the containers of a task definition, started and stopped as ECS does it."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import docker
from docker.models.containers import Container
from docker.types import Mount

_NUMBERS = itertools.count(1)
_SECONDS = 1_000_000_000
_CONDITIONS = {"START": "running", "COMPLETE": "exited", "SUCCESS": "exited"}


class TaskFailedToStartError(Exception):
    """A container that others depend on did not end as they need it; the text is its output."""


class EcsTask:
    """Runs one task while the ``with`` block does.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html: an entry point in the
    definition replaces the image's and drops its command; ``dependsOn`` orders the start, and reversed the stop; a stop
    sends the image's STOPSIGNAL and, after ``stopTimeout``, KILL. Volumes without a host path belong to root with mode
    0755 (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html).
    """

    def __init__(
        self,
        client: docker.DockerClient,
        network: str,
        definition: Mapping[str, Any],
        environments: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._client = client
        self._network = network
        self._definition = definition
        self._environments = environments
        self._id = f"watchbot-e2e-{next(_NUMBERS)}-{uuid.uuid4().hex[:8]}"
        self.containers: dict[str, Container] = {}

    def __enter__(self) -> EcsTask:
        try:
            for container in self._in_order():
                self._wait_for_dependencies(container)
                self._start(container)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def output(self, name: str) -> str:
        """Give what a container has written to its standard output and error."""
        logs: bytes = self.containers[name].logs()
        return logs.decode(errors="replace")

    def exec(self, name: str, *command: str) -> tuple[int, str]:
        """Run a program in a container, as its health check and ECS Exec do; gives its exit code and output."""
        ran = self.containers[name].exec_run(list(command))
        return int(ran.exit_code), ran.output.decode(errors="replace")

    def health(self, name: str) -> int:
        """Run a container's health check once; gives its exit code."""
        kind, *command = self._container(name)["HealthCheck"]["Command"]
        assert kind == "CMD"
        return self.exec(name, *command)[0]

    def stop(self, name: str) -> int:
        """Stop a container as ECS stops a task; gives its exit code."""
        self.containers[name].stop(timeout=self._container(name)["StopTimeout"])
        return self.wait(name)

    def kill(self, name: str) -> None:
        """Have the host lost under a container."""
        self.containers[name].kill()

    def wait(self, name: str) -> int:
        """Wait for a container's end; gives its exit code."""
        return int(self.containers[name].wait(timeout=180)["StatusCode"])

    def _container(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = next(
            container for container in self._definition["ContainerDefinitions"] if container["Name"] == name
        )
        return found

    def _in_order(self) -> list[Mapping[str, Any]]:
        waiting = list(self._definition["ContainerDefinitions"])
        started: list[Mapping[str, Any]] = []
        while waiting:
            names = {container["Name"] for container in started}
            ready = next(one for one in waiting if {on["ContainerName"] for on in one.get("DependsOn", [])} <= names)
            waiting.remove(ready)
            started.append(ready)
        return started

    def _wait_for_dependencies(self, container: Mapping[str, Any]) -> None:
        for dependency in container.get("DependsOn", []):
            name, condition = dependency["ContainerName"], dependency["Condition"]
            until = time.monotonic() + 60
            while self._status(name) != _CONDITIONS[condition]:
                assert time.monotonic() < until, f"{name} is {self._status(name)}"
                time.sleep(0.02)
            if condition == "SUCCESS" and self.wait(name) != 0:
                raise TaskFailedToStartError(self.output(name))

    def _status(self, name: str) -> str:
        self.containers[name].reload()
        return str(self.containers[name].status)

    def _start(self, container: Mapping[str, Any]) -> None:
        name = container["Name"]
        self.containers[name] = self._client.containers.run(
            container["Image"],
            container.get("Command"),
            detach=True,
            entrypoint=container.get("EntryPoint"),
            environment=dict(self._environments[name]),
            healthcheck=_health_check(container),
            init=container.get("LinuxParameters", {}).get("InitProcessEnabled", False),
            mem_limit=f"{self._definition['Memory']}m",
            mounts=[
                Mount(
                    mount["ContainerPath"],
                    f"{self._id}-{mount['SourceVolume']}",
                    no_copy=True,
                    read_only=mount["ReadOnly"],
                )
                for mount in container.get("MountPoints", [])
            ],
            name=f"{self._id}-{name}",
            network=self._network,
            read_only=container.get("ReadonlyRootFilesystem", False),
            user=container.get("User"),
        )

    def _remove(self) -> None:
        for container in reversed(self.containers.values()):
            container.remove(force=True, v=True)
        for volume in self._definition.get("Volumes", []):
            self._client.volumes.get(f"{self._id}-{volume['Name']}").remove(force=True)


def _health_check(container: Mapping[str, Any]) -> dict[str, Any] | None:
    check = container.get("HealthCheck")
    if check is None:
        return None
    return {
        "test": check["Command"],
        "interval": check["Interval"] * _SECONDS,
        "timeout": check["Timeout"] * _SECONDS,
        "retries": check["Retries"],
        "start_period": check["StartPeriod"] * _SECONDS,
    }
