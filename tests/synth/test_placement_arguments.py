from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from tests.synth.template import image, synth, synth_watchbot
from watchbot.contract import Isolation
from watchbot_cdk import Capacity, Watchbot, WatchbotArgumentError

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["true"]}
CONSTRAINT = ecs.PlacementConstraint.distinct_instances()
STRATEGY = ecs.PlacementStrategy.randomly()
PRIVATE = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
ISOLATED = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)


def _provider(name: str, weight: float | None = 1, base: float | None = None) -> ecs.CapacityProviderStrategy:
    return ecs.CapacityProviderStrategy(capacity_provider=name, weight=weight, base=base)


def _strategy(*providers: ecs.CapacityProviderStrategy) -> dict[str, Any]:
    return {"capacity": Capacity.strategy(providers)}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"capacity": "FARGATE_SPOT"}, "capacity must be a Capacity, got 'FARGATE_SPOT'"),
        ({"capacity": Capacity.ec2()}, "cluster is required with EC2 capacity, got None"),
        (
            {"capacity": Capacity.fargate_spot(spot=0)},
            "capacity must give a capacity provider a weight above 0, got 0 for FARGATE_SPOT, FARGATE",
        ),
        (
            {"capacity": Capacity.fargate_spot(spot=1001)},
            "capacity weight of FARGATE_SPOT must be a whole number from 0 to 1000, got 1001",
        ),
        (
            {"capacity": Capacity.fargate_spot(spot=float("nan"))},
            "capacity weight of FARGATE_SPOT must be a whole number from 0 to 1000, got nan",
        ),
        (
            {"capacity": Capacity.fargate_spot(on_demand=0.5)},
            "capacity weight of FARGATE must be a whole number from 0 to 1000, got 0.5",
        ),
        ({"vpc_subnets": "private"}, "vpc_subnets must be a SubnetSelection or None, got 'private'"),
        ({"vpc_subnets": PRIVATE}, "cluster is required with vpc_subnets, got None"),
        ({"security_groups": ["sg-1"]}, "security_groups must be a list of SecurityGroup or None, got ['sg-1']"),
        ({"security_groups": "sg-1"}, "security_groups must be a list of SecurityGroup or None, got 'sg-1'"),
        ({"security_groups": []}, "security_groups must be 1 to 5 security groups, got 0"),
        ({"assign_public_ip": "no"}, "assign_public_ip must be a bool or None, got 'no'"),
        ({"assign_public_ip": False}, "assign_public_ip must not be False without a cluster, got False"),
        ({"placement_constraints": ["a"]}, "placement_constraints must be a list of PlacementConstraint, got ['a']"),
        ({"placement_constraints": CONSTRAINT}, "placement_constraints must be a list of PlacementConstraint, got <"),
        ({"placement_strategies": ["a"]}, "placement_strategies must be a list of PlacementStrategy, got ['a']"),
        ({"placement_constraints": [CONSTRAINT]}, "placement_constraints is for EC2 capacity, got 1: Fargate has no"),
        ({"placement_strategies": [STRATEGY]}, "placement_strategies is for EC2 capacity, got 1: Fargate has no"),
        (
            {"placement_strategies": [STRATEGY], "capacity": Capacity.fargate_spot(), **PROCESS},
            "placement_strategies is for EC2 capacity, got 1: Fargate has no",
        ),
    ],
)
def test_refuses_by_name_with_the_value_and_what_is_allowed(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        synth_watchbot(**arguments)
    assert says in str(caught.value)
    assert len(caught.value.problems) == 1


def _synth_in_cluster(arguments: dict[str, Any], **vpc: Any) -> None:
    def build(stack: Stack) -> None:
        network = ec2.Vpc(stack, "Vpc", **{"max_azs": 1, "nat_gateways": 1, **vpc})
        Watchbot(stack, "svc", image=image(), cluster=ecs.Cluster(stack, "Mine", vpc=network), **arguments)

    synth(build)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (_strategy(), "capacity must be a list of CapacityProviderStrategy with at least one in it, got ()"),
        ({"capacity": Capacity.strategy(["a"])}, "capacity must be a list of CapacityProviderStrategy with at least"),  # type: ignore[list-item] # refused
        (_strategy(_provider("FARGATE"), _provider("gpu")), "which ECS does not mix, got FARGATE, gpu"),
        (_strategy(_provider("gpu"), _provider("gpu")), "capacity must name each capacity provider once, got gpu, gpu"),
        (
            _strategy(_provider("a=b")),
            "capacity must name a capacity provider with letters, digits, - and _, got 'a=b'",
        ),
        (_strategy(_provider("gpu", None)), "capacity must give a capacity provider a weight above 0, got 0 for gpu"),
        (_strategy(_provider("gpu", base=1)), "capacity base of gpu is for Isolation.PROCESS, got 1: with"),
        (
            _strategy(*(_provider(f"p{n}") for n in range(21))),
            "capacity must have at most 20 capacity providers, got 21",
        ),
        (
            {**_strategy(_provider("a", base=1), _provider("b", base=2)), **PROCESS},
            "capacity must give at most one capacity provider a base, got several",
        ),
        (
            {**_strategy(_provider("a", base=-1)), **PROCESS},
            "capacity base of a must be a whole number from 0 to 100000, got -1",
        ),
        (
            {"capacity": Capacity.ec2(), "assign_public_ip": True},
            "assign_public_ip must not be True with EC2 capacity, got True",
        ),
        ({"capacity": Capacity.ec2(), "cpu": 0}, "cpu must be a whole number from 128 to 196608, got 0"),
        ({"capacity": Capacity.ec2(), "memory_limit_mib": 0.5}, "memory_limit_mib must be a whole number from 6"),
        ({"cpu": 300}, "cpu must be one of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768 on Fargate"),
        (
            {"capacity": Capacity.ec2(), "placement_constraints": [CONSTRAINT] * 11},
            "placement_constraints must be at most 10, got 11",
        ),
        (
            {"capacity": Capacity.ec2(), "placement_strategies": [STRATEGY] * 6},
            "placement_strategies must be at most 5, got 6",
        ),
        (
            {"assign_public_ip": True, "vpc_subnets": PRIVATE},
            "assign_public_ip must not be True with private vpc_subnets, got True",
        ),
        ({"vpc_subnets": ec2.SubnetSelection(subnet_group_name="Inner")}, "vpc_subnets must be subnets of Demo/Vpc: "),
        ({"vpc_subnets": ISOLATED}, "vpc_subnets must be subnets of Demo/Vpc: "),
        (
            {"vpc_subnets": ec2.SubnetSelection(subnets=[])},
            "vpc_subnets must be at least one subnet of Demo/Vpc, got none",
        ),
    ],
)
def test_refuses_in_a_given_cluster_what_cannot_be_there(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        _synth_in_cluster(arguments)
    assert says in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        PROCESS,
        {"capacity": Capacity.ec2()},
        {"capacity": Capacity.ec2(), **PROCESS},
        {**_strategy(_provider("gpu"))},
    ],
)
def test_refuses_a_cluster_of_which_only_the_arn_is_known(arguments: dict[str, Any]) -> None:
    def build(stack: Stack) -> None:
        arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/mine"
        Watchbot(stack, "svc", image=image(), cluster=ecs.Cluster.from_cluster_arn(stack, "Mine", arn), **arguments)

    with pytest.raises(WatchbotArgumentError, match="cluster must be one whose VPC is known, got one imported by its"):
        synth(build)


def test_refuses_public_addresses_in_a_network_without_public_subnets() -> None:
    subnets = [ec2.SubnetConfiguration(name="Inner", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)]
    with pytest.raises(WatchbotArgumentError, match=r"cluster must be in a VPC with public subnets"):
        _synth_in_cluster({"assign_public_ip": True}, nat_gateways=0, subnet_configuration=subnets)
    inner = [ec2.SubnetConfiguration(name="Inner", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)]
    with pytest.raises(WatchbotArgumentError, match=r"assign_public_ip must not be True with a cluster in Demo/Vpc"):
        _synth_in_cluster({"assign_public_ip": True}, nat_gateways=0, subnet_configuration=inner)


@pytest.mark.parametrize("isolation", [{}, PROCESS])
def test_refuses_security_groups_for_workers_that_have_their_instances(isolation: dict[str, Any]) -> None:
    def build(stack: Stack) -> None:
        vpc = ec2.Vpc(stack, "Vpc", max_azs=1)
        groups = [ec2.SecurityGroup(stack, "Group", vpc=vpc)]
        cluster = ecs.Cluster(stack, "Mine", vpc=vpc)
        Watchbot(
            stack,
            "svc",
            image=image(),
            cluster=cluster,
            capacity=Capacity.ec2(),
            security_groups=groups,
            **isolation,
        )

    with pytest.raises(WatchbotArgumentError, match="security_groups needs vpc_subnets with EC2 capacity, got None"):
        synth(build)


@pytest.mark.parametrize("isolation", [{}, PROCESS])
def test_refuses_ec2_in_a_cluster_that_has_no_instances_at_the_end(isolation: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="capacity must not be EC2 with a cluster without instances, got Demo/Mine"):
        _synth_in_cluster({"capacity": Capacity.ec2(), **isolation})


def test_instances_may_be_added_to_the_cluster_afterwards() -> None:
    def build(stack: Stack) -> None:
        cluster = ecs.Cluster(stack, "Mine", vpc=ec2.Vpc(stack, "Vpc", max_azs=1))
        Watchbot(stack, "svc", image=image(), cluster=cluster, capacity=Capacity.ec2())
        cluster.add_capacity("Instances", instance_type=ec2.InstanceType("t3.large"))

    assert synth(build).of_type("AWS::AutoScaling::AutoScalingGroup")


def test_refuses_everything_at_once() -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        synth_watchbot(
            capacity=Capacity.strategy([_provider("gpu", 0)]),
            vpc_subnets=PRIVATE,
            assign_public_ip=True,
            security_groups=[],
            placement_constraints=[CONSTRAINT] * 11,
        )
    assert [problem.split()[0] for problem in caught.value.problems] == [
        "capacity",
        "cluster",
        "cluster",
        "security_groups",
        "placement_constraints",
        "assign_public_ip",
    ]
