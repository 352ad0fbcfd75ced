"""What a worker's container was asked to be like: its devices, its file system, its limits, its end."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs

from watchbot.contract import Isolation
from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.exit_codes import ExitCodes, exit_code_problems
from watchbot_cdk.mount import Mount, mount_kinds, mount_problems
from watchbot_cdk.problems import in_seconds, is_list_of, is_token, kind_problems, whole_problems
from watchbot_cdk.ulimits import ulimit_problems

_STOP_SECONDS = 120
"""Between TERM and KILL; the most that Fargate gives.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

_STOP_TIMEOUT = Duration.seconds(_STOP_SECONDS)
_LONGEST_STOP_SECONDS = 43_200
_AFTER_DRAIN_SECONDS = 15
"""What a watcher needs after its workers' time is over: TERM, 5 seconds, KILL, and to hand their messages back."""

_MOST_GPUS = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """The arguments of a Watchbot that shape the container its worker runs in."""

    memory_reservation_mib: float | None
    gpu_count: float | None
    ephemeral_storage_gib: float | None
    mounts: Sequence[Mount]
    privileged: bool
    readonly_root_filesystem: bool
    family: str | None
    ulimits: Sequence[ecs.Ulimit]
    exit_codes: ExitCodes
    drain: Duration | None

    def stop_timeout(self, isolation: Isolation) -> Duration:
        """Give the time between TERM and KILL of the worker's container."""
        if self.drain is None:
            return _STOP_TIMEOUT
        return Duration.seconds(in_seconds(self.drain) + _after_drain(isolation))

    def drain_seconds(self, isolation: Isolation) -> int:
        """Give the time that workers have when their watcher is stopped."""
        if self.drain is None or isolation is Isolation.TASK:
            return _STOP_SECONDS - _AFTER_DRAIN_SECONDS
        return int(in_seconds(self.drain))

    def kinds(self) -> Iterable[str]:
        """Say which arguments are of another kind."""
        yield from kind_problems("privileged", self.privileged, bool)
        yield from kind_problems("readonly_root_filesystem", self.readonly_root_filesystem, bool)
        yield from kind_problems("family", self.family, str, optional=True)
        yield from kind_problems("exit_codes", self.exit_codes, ExitCodes)
        yield from kind_problems("drain", self.drain, Duration, optional=True)
        if not is_list_of(ecs.Ulimit, self.ulimits):
            yield f"ulimits must be a list of Ulimit, got {self.ulimits!r}"
        if not is_list_of(Mount, self.mounts):
            yield f"mounts must be a list of Mount, got {self.mounts!r}"
            return
        for mount in self.mounts:
            yield from mount_kinds(mount)

    def problems(self, isolation: Isolation, memory_limit_mib: float, *, is_ec2: bool) -> Iterable[str]:
        """Say what cannot be, of arguments of the right kinds."""
        yield from exit_code_problems(self.exit_codes)
        yield from mount_problems(self.mounts, isolation, is_ec2=is_ec2)
        yield from ulimit_problems(self.ulimits, is_ec2=is_ec2)
        yield from self._instance_problems() if is_ec2 else self._fargate_problems()
        if is_ec2 and self.memory_reservation_mib is not None:
            yield from _reservation_problems(self.memory_reservation_mib, memory_limit_mib)
        if self.drain is not None:
            yield from _drain_problems(self.drain, isolation, is_ec2=is_ec2)
        if self.family is not None:
            yield from _family_problems(self.family)

    def _instance_problems(self) -> Iterable[str]:
        if self.ephemeral_storage_gib is not None:
            yield (
                f"ephemeral_storage_gib is for Fargate, got {self.ephemeral_storage_gib!r}: on EC2 tasks have the disk "
                "of their instance"
            )
        if self.gpu_count is not None:
            yield from _gpu_problems(self.gpu_count)

    def _fargate_problems(self) -> Iterable[str]:
        """Say what Fargate has not.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
        """
        if self.gpu_count is not None:
            yield f"gpu_count is for EC2 capacity, got {self.gpu_count!r}: Fargate has no GPUs"
        if self.privileged:
            yield "privileged is for EC2 capacity, got True: Fargate runs no privileged containers"
        if self.memory_reservation_mib is not None:
            yield (
                f"memory_reservation_mib is for EC2 capacity, got {self.memory_reservation_mib!r}: on Fargate a task "
                "has its memory_limit_mib to itself"
            )
        if self.ephemeral_storage_gib is not None:
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html
            yield from whole_problems("ephemeral_storage_gib", self.ephemeral_storage_gib, 21, 200)


def _gpu_problems(count: float) -> Iterable[str]:
    """Say what is wrong with this number of GPUs; CDK writes one that is known only at deployment as another number."""
    if is_deploy_time(count):
        yield "gpu_count must be known at synthesis, got a value known only at deployment"
    else:
        yield from whole_problems("gpu_count", count, 1, _MOST_GPUS)


def _reservation_problems(reservation: float, limit: float) -> Iterable[str]:
    problems = [*whole_problems("memory_reservation_mib", reservation, 6, 33_554_432)]
    yield from problems
    if problems or not isinstance(limit, int | float):
        return
    if not (is_deploy_time(reservation) or is_deploy_time(limit)) and reservation >= limit:
        yield f"memory_reservation_mib must be less than memory_limit_mib {limit:g}, got {reservation:g}"


def _family_problems(family: str) -> Iterable[str]:
    if not is_deploy_time(family) and not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", family):
        yield f"family must be 1 to 255 letters, digits, - and _, got {family!r}"


def _after_drain(isolation: Isolation) -> int:
    return 0 if isolation is Isolation.TASK else _AFTER_DRAIN_SECONDS


def _drain_problems(drain: Duration, isolation: Isolation, *, is_ec2: bool) -> Iterable[str]:
    """Say what is wrong with the time for a job's end; with Isolation.TASK it is ECS's own stop timeout, from 2 s."""
    if is_token(drain):
        yield "drain must be known at synthesis, got a value known only at deployment"
        return
    seconds = in_seconds(drain)
    lowest = 2 if isolation is Isolation.TASK else 0
    highest = (_LONGEST_STOP_SECONDS if is_ec2 else _STOP_SECONDS) - _after_drain(isolation)
    if not lowest <= seconds <= highest or seconds != int(seconds):
        where = f"Isolation.{isolation.name} on {'EC2' if is_ec2 else 'Fargate'}"
        yield f"drain must be {lowest} to {highest} whole seconds with {where}, got {seconds:.12g}"
