"""What the construct tells the watcher of placement becomes requests that ECS's own model accepts."""

from __future__ import annotations

import random
from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from tests.synth.template import synth_in_cluster, watcher_settings
from watchbot.placement import Placement
from watchbot_cdk import Capacity

PRIVATE = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
PROVIDERS = [
    ecs.CapacityProviderStrategy(capacity_provider=name, weight=weight) for name, weight in (("spot", 1), ("owned", 0))
]
CHOICE: dict[str, Any] = {
    "placement_constraints": [ecs.PlacementConstraint.member_of("attribute:gpu == true")],
    "placement_strategies": [ecs.PlacementStrategy.packed_by_cpu(), ecs.PlacementStrategy.randomly()],
}


def _launches(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the placement of a launch, and of the next one after each refusal, until everything was refused."""
    placement = Placement(watcher_settings(synth_in_cluster(arguments)), random.Random(1))
    refused: list[str] = []
    launches = []
    while True:
        provider = placement.draw(refused)
        launches.append(placement.fields(provider))
        if provider is None or provider in refused:
            return launches
        refused.append(provider)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({}, {"launchType", "networkConfiguration"}),
        ({"capacity": Capacity.fargate_spot()}, {"capacityProviderStrategy", "networkConfiguration"}),
        ({"capacity": Capacity.ec2()}, {"launchType"}),
        (
            {"capacity": Capacity.ec2(), "vpc_subnets": PRIVATE, **CHOICE},
            {"launchType", "networkConfiguration", "placementConstraints", "placementStrategy"},
        ),
        (
            {"capacity": Capacity.strategy(PROVIDERS), **CHOICE},
            {"capacityProviderStrategy", "placementConstraints", "placementStrategy"},
        ),
    ],
)
def test_run_task_takes_the_placement(arguments: dict[str, Any], names: set[str]) -> None:
    model = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ecs", "service-2"))
    shape = model.operation_model("RunTask").input_shape
    assert shape is not None
    for fields in _launches(arguments):
        assert set(fields) == names
        report = botocore.validate.ParamValidator().validate({"taskDefinition": "worker", **fields}, shape)
        assert not report.has_errors(), report.generate_report()


def test_a_refusal_by_spot_leads_to_capacity_on_demand() -> None:
    drawn = [
        fields["capacityProviderStrategy"][0]["capacityProvider"]
        for fields in _launches({"capacity": Capacity.fargate_spot()})
    ]
    assert drawn[:2] == ["FARGATE_SPOT", "FARGATE"]
