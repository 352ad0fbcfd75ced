"""Which sizes a task may have on EC2 instances."""

from __future__ import annotations

from collections.abc import Iterable

from watchbot_cdk.problems import whole_problems

_LOWEST_CPU = 128
_HIGHEST_CPU = 196_608
_LOWEST_MEMORY_MIB = 6
_HIGHEST_MEMORY_MIB = 33_554_432
"""More than any instance has; ECS names no bound."""


def ec2_size_problems(cpu: float, memory_limit_mib: float) -> Iterable[str]:
    """Say what is wrong with this size of a task, whatever instances there are.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
    """
    yield from whole_problems("cpu", cpu, _LOWEST_CPU, _HIGHEST_CPU)
    yield from whole_problems("memory_limit_mib", memory_limit_mib, _LOWEST_MEMORY_MIB, _HIGHEST_MEMORY_MIB)
