"""Limits on a worker's resources, as the kernel of its host keeps them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from aws_cdk import aws_ecs as ecs

from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.problems import whole_problems

_OPEN_FILES = 65_535
"""What Fargate gives by itself; instances give what their agent was set to."""

_UNLIMITED = -1
_HIGHEST = 2_147_483_647


def ulimits_of(given: Sequence[ecs.Ulimit], *, is_ec2: bool) -> list[ecs.Ulimit] | None:
    """Give the limits asked for, and on EC2 as many open files as Fargate gives if nothing else was said of them."""
    if not is_ec2 or any(one.name is ecs.UlimitName.NOFILE for one in given):
        return list(given) or None
    return [*given, ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=_OPEN_FILES, hard_limit=_OPEN_FILES)]


def ulimit_problems(given: Sequence[ecs.Ulimit], *, is_ec2: bool) -> Iterable[str]:
    """Say which limits ECS would refuse.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html
    """
    names = [one.name.value.lower() for one in given]
    if len(set(names)) < len(names):
        yield f"ulimits must name each limit once, got {', '.join(names)}"
    for name, one in zip(names, given, strict=True):
        if name != "nofile" and not is_ec2:
            yield f"ulimits must be of nofile on Fargate, which sets all others itself, got {name}"
        soft, hard = one.soft_limit, one.hard_limit
        problems = [
            *whole_problems(f"ulimits soft_limit of {name}", soft, _UNLIMITED, _HIGHEST),
            *whole_problems(f"ulimits hard_limit of {name}", hard, _UNLIMITED, _HIGHEST),
        ]
        yield from problems
        if problems:
            continue
        if not (is_deploy_time(soft) or is_deploy_time(hard)) and _height(soft) > _height(hard):
            yield f"ulimits soft_limit of {name} must be at most its hard_limit {hard:g}, got {soft:g}"


def _height(limit: float) -> float:
    return math.inf if limit == _UNLIMITED else limit
