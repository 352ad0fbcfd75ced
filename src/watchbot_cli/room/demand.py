"""What one task takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What ECS looks for on an instance before it places a task there; ``cpu`` is in units of 1/1024 vCPU."""

    cpu: int
    memory_mib: int
    gpus: int
    tcp_ports: frozenset[str]
    udp_ports: frozenset[str]
    attributes: tuple[tuple[str, str | None], ...]
    network_mode: str

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> Demand:
        """Read it from a described task definition.

        What is said of the whole task counts; without it what is reserved for its containers, all of them, of whose
        memory the soft limit goes before the hard one:
        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
        """
        containers = definition["containerDefinitions"]
        mode = definition.get("networkMode", "bridge")
        ports = [port for one in containers for port in _host_ports(one, mode)]
        return cls(
            cpu=int(definition.get("cpu", sum(one.get("cpu", 0) for one in containers))),
            memory_mib=int(definition.get("memory", sum(map(_reserved_memory, containers)))),
            gpus=_gpus(containers),
            tcp_ports=frozenset(port for port, protocol in ports if protocol == "tcp"),
            udp_ports=frozenset(port for port, protocol in ports if protocol == "udp"),
            attributes=tuple((one["name"], one.get("value")) for one in definition.get("requiresAttributes", ())),
            network_mode=mode,
        )

    def __str__(self) -> str:
        """Say it to people."""
        ports = sorted(int(port) for port in self.tcp_ports | self.udp_ports)
        parts = [f"{self.cpu} CPU units", f"{self.memory_mib} MiB"]
        parts += [f"{self.gpus} GPU"] if self.gpus else []
        parts += [f"host port {', '.join(map(str, ports))}"] if ports else []
        return ", ".join(parts)


def _reserved_memory(container: Mapping[str, Any]) -> int:
    return int(container.get("memoryReservation", container.get("memory", 0)))


def _gpus(containers: Sequence[Mapping[str, Any]]) -> int:
    wanted = [one for container in containers for one in container.get("resourceRequirements", ())]
    return sum(int(one["value"]) for one in wanted if one["type"] == "GPU")


def _host_ports(container: Mapping[str, Any], mode: str) -> Iterator[tuple[str, str]]:
    """Give the ports of the instance that a container has for itself: the others are drawn from those that are free.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
    """
    for mapping in container.get("portMappings", ()):
        default = mapping.get("containerPort", 0) if mode == "host" else 0
        port = mapping.get("hostPort", default)
        if mode in ("bridge", "host") and port:
            yield str(port), mapping.get("protocol", "tcp")
