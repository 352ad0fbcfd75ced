"""Which capacity tasks run on: Fargate, Fargate Spot, or EC2 instances."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from aws_cdk import aws_ecs as ecs

from watchbot.contract import Isolation, LaunchType
from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.problems import is_list_of, whole_problems

_SPOT = "FARGATE_SPOT"
_ON_DEMAND = "FARGATE"
_MOST_PROVIDERS = 20
_HIGHEST_WEIGHT = 1000
_HIGHEST_BASE = 100_000


@dataclasses.dataclass(frozen=True)
class Capacity:
    """What tasks run on; made by one of the methods below.

    With Isolation.TASK one capacity provider is drawn by weight for each task, and when it refuses the next one is
    taken: a provider of weight 0 is used for nothing but that. With Isolation.PROCESS it is the strategy of the ECS
    service, where a weight of 0 means never.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html
    """

    launch_type: LaunchType
    providers: Sequence[ecs.CapacityProviderStrategy] | None = None

    @classmethod
    def fargate(cls) -> Capacity:
        """Fargate, on demand."""
        return cls(LaunchType.FARGATE)

    @classmethod
    def fargate_spot(cls, *, spot: float = 1, on_demand: float = 0) -> Capacity:
        """Fargate Spot and Fargate on demand by their weights, 0 to 1000; Spot alone by default.

        With Isolation.TASK a task that Spot has no room for is started on demand, whatever the weights. Spot interrupts
        jobs, and each interruption is a receive of their message: raise ``max_receive_count`` for long ones.
        """
        weights = {_SPOT: spot, _ON_DEMAND: on_demand}
        return cls.strategy(
            [ecs.CapacityProviderStrategy(capacity_provider=name, weight=weight) for name, weight in weights.items()]
        )

    @classmethod
    def ec2(cls) -> Capacity:
        """EC2: the container instances of the given cluster, whatever has started them."""
        return cls(LaunchType.EC2)

    @classmethod
    def strategy(cls, providers: Sequence[ecs.CapacityProviderStrategy]) -> Capacity:
        """Capacity providers of the given cluster by weight: those of Fargate, or those of Auto Scaling groups.

        ``base`` is for Isolation.PROCESS.
        """
        is_fargate = is_list_of(ecs.CapacityProviderStrategy, providers) and all(map(_is_fargate, providers))
        # None would be none at all, which is EC2 itself.
        return cls(LaunchType.FARGATE if is_fargate else LaunchType.EC2, () if providers is None else providers)

    @property
    def is_ec2(self) -> bool:
        """Whether tasks run on instances, whose network and size are other than Fargate's."""
        return self.launch_type is LaunchType.EC2


def capacity_problems(capacity: Capacity, isolation: Isolation) -> Iterable[str]:
    """Say what is wrong with a capacity; a list of providers that ECS would refuse is refused here."""
    providers = capacity.providers
    if providers is None:
        return
    if not is_list_of(ecs.CapacityProviderStrategy, providers) or not providers:
        yield f"capacity must be a list of CapacityProviderStrategy with at least one in it, got {providers!r}"
        return
    names = [one.capacity_provider for one in providers]
    if len(names) > _MOST_PROVIDERS:
        yield f"capacity must have at most {_MOST_PROVIDERS} capacity providers, got {len(names)}"
    if len(set(names)) < len(names):
        yield f"capacity must name each capacity provider once, got {', '.join(names)}"
    if len({_is_fargate(one) for one in providers}) > 1:
        yield (
            "capacity must be Fargate's capacity providers or those of Auto Scaling groups, which ECS does not mix, "
            f"got {', '.join(names)}"
        )
    for one in providers:
        yield from _provider_problems(one, isolation)
    if not any(one.weight for one in providers):
        yield f"capacity must give a capacity provider a weight above 0, got 0 for {', '.join(names)}"
    if sum(1 for one in providers if one.base) > 1:
        yield "capacity must give at most one capacity provider a base, got several"


def _provider_problems(provider: ecs.CapacityProviderStrategy, isolation: Isolation) -> Iterable[str]:
    name = provider.capacity_provider
    if not is_deploy_time(name) and not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
        yield f"capacity must name a capacity provider with letters, digits, - and _, got {name!r}"
    if provider.weight is not None:
        yield from whole_problems(f"capacity weight of {name}", provider.weight, 0, _HIGHEST_WEIGHT)
    if not provider.base:
        return
    if isolation is Isolation.TASK:
        yield (
            f"capacity base of {name} is for Isolation.PROCESS, got {provider.base:g}: with Isolation.TASK every task "
            "is a request of its own, and a base would take all of them"
        )
    else:
        yield from whole_problems(f"capacity base of {name}", provider.base, 0, _HIGHEST_BASE)


def _is_fargate(provider: ecs.CapacityProviderStrategy) -> bool:
    return provider.capacity_provider in (_SPOT, _ON_DEMAND)
