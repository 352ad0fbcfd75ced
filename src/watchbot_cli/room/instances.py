"""The container instances of a cluster, and the room on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchbot_cli.room.demand import Demand
from watchbot_cli.room.ecs_pages import instance_arns, instances
from watchbot_cli.room.placement import WorkerPlacement
from watchbot_cli.room.pool import InstanceRoom, Pool

_EXTERNAL = "ecs.capability.external"
"""The attribute of a machine outside AWS, which takes no task of launch type EC2.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-anywhere.html
"""

_Described = Mapping[str, Any]


class Instances:
    """The instances of a cluster, each read once, however many pools they are in."""

    def __init__(self, ecs: Any, placement: WorkerPlacement) -> None:
        self._demand = placement.demand
        self._all = list(instances(ecs, placement.cluster, instance_arns(ecs, placement.cluster)))
        self._unfit = self._excluded(ecs, placement) if self._all else {}
        self._is_distinct = _wants_distinct(placement)

    def pool(self, provider: str | None) -> Pool:
        """Give the room on the instances of a capacity provider, or on all of the cluster's for None."""
        found = [one for one in self._all if _belongs(one, provider)]
        rooms = tuple(self._room(one) for one in found)
        held = "the cluster" if provider is None else f"capacity provider {provider}"
        return Pool(
            name=provider or "EC2",
            tasks=sum(room.tasks for room in rooms),
            why=f"on {len(rooms)} instances" if rooms else f"{held} has no instances",
            instances=rooms,
        )

    def _room(self, instance: _Described) -> InstanceRoom:
        left = _left(instance)
        unfit = _unavailable(instance) or self._unfit.get(instance["containerInstanceArn"])
        tasks, limit = (0, unfit) if unfit else _fit(instance, left, self._demand)
        if self._is_distinct and tasks:
            tasks, limit = 1, "one for each instance"
        arn = instance["containerInstanceArn"].rpartition("/")[2]
        return InstanceRoom(
            instance=instance.get("ec2InstanceId", arn),
            kind=_attributes(instance).get("ecs.instance-type") or "",
            cpu=left.get("CPU", 0),
            memory_mib=left.get("MEMORY", 0),
            gpus=len(left.get("GPU", ())),
            tasks=tasks,
            limit=limit,
        )

    def _excluded(self, ecs: Any, placement: WorkerPlacement) -> dict[str, str]:
        """Say of which instances ECS itself says that a constraint keeps tasks off them."""
        unfit: dict[str, str] = {}
        every = {one["containerInstanceArn"] for one in self._all}
        for constraint in placement.constraints:
            if constraint["type"] == "memberOf":
                fitting = instance_arns(ecs, placement.cluster, constraint["expression"])
                unfit |= dict.fromkeys(every.difference(fitting), "placement constraint")
        if _wants_distinct(placement):
            taken = instance_arns(ecs, placement.cluster, f"task:group == {placement.group}")
            unfit |= dict.fromkeys(taken, "has one already")
        return unfit


def _belongs(instance: _Described, provider: str | None) -> bool:
    if provider is None:
        return _EXTERNAL not in _attributes(instance)
    return bool(instance.get("capacityProviderName") == provider)


def _wants_distinct(placement: WorkerPlacement) -> bool:
    return any(one["type"] == "distinctInstance" for one in placement.constraints)


def _attributes(instance: _Described) -> dict[str, str | None]:
    return {one["name"]: one.get("value") for one in instance.get("attributes", ())}


def _unavailable(instance: _Described) -> str | None:
    if instance["status"] != "ACTIVE":
        return str(instance["status"])
    return None if instance["agentConnected"] else "agent is not connected"


def _left(instance: _Described) -> dict[str, Any]:
    """Give what is left by name: numbers of CPU and MEMORY, names of GPU; of ports, those that are taken.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerInstance.html
    """
    return {
        one["name"]: one["stringSetValue"] if one["type"] == "STRINGSET" else int(one["integerValue"])
        for one in instance["remainingResources"]
    }


def _fit(instance: _Described, left: Mapping[str, Any], demand: Demand) -> tuple[int, str]:
    """Give how many tasks fit, and what is used up first."""
    has = _attributes(instance)
    lacking = [name for name, value in demand.attributes if name not in has or value not in (None, has[name])]
    if lacking:
        return 0, f"lacks {lacking[0]}"
    taken = [*demand.tcp_ports.intersection(left.get("PORTS", ()))]
    taken += demand.udp_ports.intersection(left.get("PORTS_UDP", ()))
    if taken:
        return 0, f"port {min(taken, key=int)} is taken"
    wanted = (
        ("memory", demand.memory_mib, left.get("MEMORY", 0)),
        ("CPU", demand.cpu, left.get("CPU", 0)),
        ("GPU", demand.gpus, len(left.get("GPU", ()))),
        ("host port", 1 if demand.tcp_ports or demand.udp_ports else 0, 1),
    )
    return min(((there // each, name) for name, each, there in wanted if each), key=lambda one: one[0])
