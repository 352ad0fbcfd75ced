"""A place where tasks run, and the room in it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRoom:
    """How many tasks fit on an instance, what it has left, and what keeps it from more."""

    instance: str
    kind: str
    cpu: int
    memory_mib: int
    gpus: int
    tasks: int
    limit: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """How many tasks fit, None when that is not known; ``why`` is what it rests on, or what keeps it from being known.

    ``instances`` is None where there are none to see.
    """

    name: str
    tasks: int | None
    why: str
    instances: tuple[InstanceRoom, ...] | None = None
