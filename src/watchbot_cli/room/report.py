"""What is printed of the room for workers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from watchbot_cli.output import talk, write, write_json
from watchbot_cli.room.fargate import QUOTAS
from watchbot_cli.room.placement import WorkerPlacement
from watchbot_cli.room.pool import InstanceRoom, Pool
from watchbot_cli.terminal_text import one_line

_MOST_SHOWN = 20
_COLUMNS = ("instance", "type", "CPU left", "MiB left", "GPU left", "workers", "limit")


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """The room in each pool, and altogether."""

    service: str
    placement: WorkerPlacement
    pools: tuple[Pool, ...]

    @property
    def workers(self) -> int | None:
        """How many more fit; None unless it is known of every pool."""
        known = [pool.tasks for pool in self.pools if pool.tasks is not None]
        return sum(known) * self.placement.workers_per_task if len(known) == len(self.pools) else None

    def show_json(self) -> None:
        """Print everything as one object; workers is null when it is not known of every pool."""
        placement = self.placement
        write_json(
            {
                "service": self.service,
                "cluster": placement.cluster,
                "task_definition": placement.task_definition,
                "workers_per_task": placement.workers_per_task,
                "workers": self.workers,
                "pools": [dataclasses.asdict(pool) for pool in self.pools],
                "not_counted": list(self._not_counted()),
            }
        )

    def show(self) -> None:
        """Print it for people: instances with the most room first."""
        each = self.placement.workers_per_task
        holds = "a worker" if each == 1 else f"{each} workers"
        cluster = self.placement.cluster.rpartition("/")[2]
        write(f"{self.service} in cluster {cluster}: a task for {holds} takes {self.placement.demand}")
        for pool in self.pools:
            if pool.instances:
                _show_instances(pool.instances, each)
            room = "not known" if pool.tasks is None else f"{pool.tasks * each:,} more workers"
            write(f"{pool.name}: {room}: {pool.why}")
        write(self._total())
        for reason in self._not_counted():
            talk().print(f"not counted: {reason}")

    def _total(self) -> str:
        if self.workers is not None:
            return f"room for {self.workers:,} more workers"
        known = sum(pool.tasks or 0 for pool in self.pools) * self.placement.workers_per_task
        return f"room for {known:,} more workers, and for those that are not known of"

    def _not_counted(self) -> Iterator[str]:
        """Say what else could keep a task from being placed, or let more of them in."""
        names = {pool.name for pool in self.pools}
        on_instances = names - QUOTAS.keys()
        if on_instances:
            yield "instances that an Auto Scaling group would add"
        if on_instances and self.placement.demand.network_mode == "awsvpc":
            yield "network interfaces: each task needs one of its instance's"
        if names & QUOTAS.keys():
            yield "pods of EKS on Fargate, tasks that are stopping, and whether AWS has the capacity"
        if len(names) > 1 and self.placement.group.startswith("service:"):
            yield "weights: ECS shares a service's tasks among capacity providers, and one may be full before another"


def _show_instances(rooms: Sequence[InstanceRoom], each: int) -> None:
    rooms = sorted(rooms, key=lambda room: (-room.tasks, room.instance))
    shown = rooms if len(rooms) <= _MOST_SHOWN + 1 else rooms[:_MOST_SHOWN]
    lines = [_COLUMNS, *(tuple(map(one_line, _cells(room, each))) for room in shown)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    for line in lines:
        first = f"{line[0]:<{widths[0]}}  {line[1]:<{widths[1]}}  "
        numbers = "  ".join(f"{cell:>{width}}" for cell, width in zip(line[2:6], widths[2:6], strict=True))
        write(f"{first}{numbers}  {line[6]}")
    rest = rooms[len(shown) :]
    if rest:
        write(f"and {len(rest):,} more instances: {sum(room.tasks for room in rest) * each:,} workers")


def _cells(room: InstanceRoom, each: int) -> tuple[str, ...]:
    numbers = (room.cpu, room.memory_mib, room.gpus, room.tasks * each)
    return (room.instance, room.kind, *(f"{number:,}" for number in numbers), room.limit)
