"""On which capacity tasks run: Fargate, Fargate Spot or EC2."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import CfnParameter, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from tests.synth.template import (
    Template,
    image,
    placeholders,
    synth,
    synth_in_cluster,
    synth_watchbot,
    watcher_settings,
)
from watchbot.contract import Isolation, LaunchType
from watchbot_cdk import Capacity, Watchbot

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["true"]}
EC2: dict[str, Any] = {"capacity": Capacity.ec2(), "cpu": 300, "memory_limit_mib": 3000}
PUBLIC = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
PRIVATE = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)


def _service(template: Template) -> dict[str, Any]:
    service: dict[str, Any] = template.one("AWS::ECS::Service")
    return service


def _awsvpc(template: Template) -> dict[str, Any]:
    awsvpc: dict[str, Any] = _service(template)["NetworkConfiguration"]["AwsvpcConfiguration"]
    return awsvpc


@pytest.mark.parametrize("isolation", [{}, PROCESS])
def test_by_default_tasks_are_on_fargate_and_the_cluster_has_no_capacity_providers(isolation: dict[str, Any]) -> None:
    template = synth_watchbot(**isolation)
    assert _service(template)["LaunchType"] == "FARGATE"
    assert not template.of_type("AWS::ECS::ClusterCapacityProviderAssociations")


def test_workers_on_spot_are_drawn_by_weight_and_their_watcher_is_not_on_spot() -> None:
    template = synth_watchbot(capacity=Capacity.fargate_spot(spot=3, on_demand=1))
    assert watcher_settings(template).task_capacity == (("FARGATE_SPOT", 3), ("FARGATE", 1))
    assert _service(template)["LaunchType"] == "FARGATE"
    assert "CapacityProviderStrategy" not in _service(template)


def test_spot_alone_falls_back_to_on_demand() -> None:
    assert watcher_settings(synth_watchbot(capacity=Capacity.fargate_spot())).task_capacity == (
        ("FARGATE_SPOT", 1),
        ("FARGATE", 0),
    )


def test_a_process_service_has_the_strategy_itself() -> None:
    service = _service(synth_watchbot(capacity=Capacity.fargate_spot(spot=3, on_demand=1), **PROCESS))
    assert "LaunchType" not in service
    assert service["CapacityProviderStrategy"] == [
        {"CapacityProvider": "FARGATE_SPOT", "Weight": 3},
        {"CapacityProvider": "FARGATE", "Weight": 1},
    ]


@pytest.mark.parametrize("isolation", [{}, PROCESS])
def test_the_default_cluster_has_fargates_providers_once_one_service_uses_them(isolation: dict[str, Any]) -> None:
    def build(stack: Stack) -> None:
        Watchbot(stack, "plain", image=image())
        Watchbot(stack, "spot", image=image(), capacity=Capacity.fargate_spot(), **isolation)
        Watchbot(stack, "other", image=image(), capacity=Capacity.fargate_spot(), **isolation)

    template = synth(build)
    ((name, association),) = template.of_type("AWS::ECS::ClusterCapacityProviderAssociations").items()
    assert association["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    awaited = {
        service: name in resource["DependsOn"]
        for service, resource in template.resources.items()
        if resource["Type"] == "AWS::ECS::Service"
    }
    assert sorted((service[:4], waits) for service, waits in awaited.items()) == [
        ("othe", True),
        ("plai", False),
        ("spot", True),
    ]


def test_workers_on_ec2_share_their_instances_network_and_the_watcher_is_on_fargate() -> None:
    template = synth_in_cluster(EC2)
    worker = template.one("AWS::ECS::TaskDefinition", "WorkerTask")
    assert worker["RequiresCompatibilities"] == ["EC2"]
    assert (worker["NetworkMode"], worker["Cpu"], worker["Memory"]) == ("bridge", "300", "3000")
    watcher = template.one("AWS::ECS::TaskDefinition", "WatcherTask")
    assert (watcher["RequiresCompatibilities"], watcher["Cpu"], watcher["Memory"]) == (["FARGATE"], "256", "512")
    assert _service(template)["LaunchType"] == "FARGATE"
    assert "Private" in _awsvpc(template)["Subnets"][0]["Ref"]
    settings = watcher_settings(template)
    assert settings.task_launch_type is LaunchType.EC2
    assert (settings.task_subnets, settings.task_security_groups, settings.task_public_ip) == ((), (), False)


def test_workers_on_ec2_with_subnets_have_their_own_interface_and_no_public_address() -> None:
    template = synth_in_cluster({**EC2, "vpc_subnets": PUBLIC})
    assert template.one("AWS::ECS::TaskDefinition", "WorkerTask")["NetworkMode"] == "awsvpc"
    assert _awsvpc(template)["AssignPublicIp"] == "ENABLED"
    settings = watcher_settings(template)
    assert "Public" in settings.task_subnets[0]
    assert len(settings.task_security_groups) == 1
    assert not settings.task_public_ip


def _containers(template: Template) -> list[dict[str, Any]]:
    containers: list[dict[str, Any]] = template.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    return containers


def test_a_process_service_on_ec2_runs_the_same_containers() -> None:
    on_ec2, on_fargate = synth_in_cluster({**EC2, **PROCESS}), synth_in_cluster(PROCESS)
    task = on_ec2.one("AWS::ECS::TaskDefinition")
    assert (task["RequiresCompatibilities"], task["NetworkMode"]) == (["EC2"], "bridge")
    assert (task["Cpu"], task["Memory"]) == ("300", "3000")
    worker, install = _containers(on_ec2)
    assert worker.pop("Ulimits") == [{"Name": "nofile", "SoftLimit": 65_535, "HardLimit": 65_535}]
    assert [worker, install] == _containers(on_fargate)
    service = _service(on_ec2)
    assert service["LaunchType"] == "EC2"
    assert "NetworkConfiguration" not in service
    assert service["AvailabilityZoneRebalancing"] == "DISABLED"
    assert service["DeploymentConfiguration"] == _service(on_fargate)["DeploymentConfiguration"]
    assert not [name for name in on_ec2.of_type("AWS::EC2::SecurityGroup") if name.startswith("svc")]


def test_a_process_service_on_ec2_with_subnets_has_its_own_interface() -> None:
    template = synth_in_cluster({**EC2, **PROCESS, "vpc_subnets": PRIVATE})
    assert template.one("AWS::ECS::TaskDefinition")["NetworkMode"] == "awsvpc"
    awsvpc = _awsvpc(template)
    assert "Private" in awsvpc["Subnets"][0]["Ref"]
    assert awsvpc["AssignPublicIp"] == "DISABLED"
    assert len(awsvpc["SecurityGroups"]) == 1


@pytest.mark.parametrize("isolation", [{}, PROCESS])
def test_the_processor_asked_for_is_named_on_ec2_too(isolation: dict[str, Any]) -> None:
    platform = ecs.RuntimePlatform(
        cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
    )
    template = synth_in_cluster({**EC2, **isolation, "runtime_platform": platform})
    for definition in template.of_type("AWS::ECS::TaskDefinition").values():
        assert definition["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}


def _providers(stack: Stack, vpc: ec2.Vpc) -> dict[str, Any]:
    names = [CfnParameter(stack, name).value_as_string for name in ("Spot", "OnDemand")]
    strategy = [
        ecs.CapacityProviderStrategy(capacity_provider=name, weight=weight)
        for name, weight in zip(names, (1, 0), strict=True)
    ]
    return {"capacity": Capacity.strategy(strategy)}


def test_capacity_providers_named_at_deployment_are_ec2s() -> None:
    template = synth_in_cluster(_providers)
    assert watcher_settings(template).task_capacity == (("<{'Ref': 'Spot'}>", 1), ("<{'Ref': 'OnDemand'}>", 0))
    assert template.one("AWS::ECS::TaskDefinition", "WorkerTask")["RequiresCompatibilities"] == ["EC2"]
    service = _service(synth_in_cluster(lambda stack, vpc: {**_providers(stack, vpc), **PROCESS}))
    assert [one["CapacityProvider"] for one in service["CapacityProviderStrategy"]] == [
        {"Ref": "Spot"},
        {"Ref": "OnDemand"},
    ]


def test_a_size_known_only_at_deployment_is_ec2s_too() -> None:
    def arguments(stack: Stack, vpc: ec2.Vpc) -> dict[str, Any]:
        return {**EC2, "cpu": CfnParameter(stack, "Cpu", type="Number").value_as_number}

    assert synth_in_cluster(arguments).one("AWS::ECS::TaskDefinition", "WorkerTask")["Cpu"] == {"Ref": "Cpu"}


def test_a_weight_known_only_at_deployment_reaches_the_watcher() -> None:
    def build(stack: Stack) -> None:
        weight = CfnParameter(stack, "Weight", type="Number").value_as_number
        Watchbot(stack, "svc", image=image(), capacity=Capacity.fargate_spot(spot=weight))

    written = synth(build).environment("watcher")["WATCHBOT_TASK_CAPACITY"]
    assert placeholders(written) == "FARGATE_SPOT=<{'Ref': 'Weight'}>,FARGATE=0"


CHOICE: dict[str, Any] = {
    "placement_constraints": [
        ecs.PlacementConstraint.member_of("attribute:ecs.instance-type =~ g5.*"),
        ecs.PlacementConstraint.distinct_instances(),
    ],
    "placement_strategies": [
        ecs.PlacementStrategy.spread_across("attribute:ecs.availability-zone"),
        ecs.PlacementStrategy.packed_by_memory(),
        ecs.PlacementStrategy.randomly(),
    ],
}


def test_the_watcher_is_told_which_instances_to_choose_in_run_tasks_own_form() -> None:
    settings = watcher_settings(synth_in_cluster({**EC2, **CHOICE}))
    assert settings.task_placement_constraints == (
        {"type": "memberOf", "expression": "attribute:ecs.instance-type =~ g5.*"},
        {"type": "distinctInstance"},
    )
    assert settings.task_placement_strategies == (
        {"type": "spread", "field": "attribute:ecs.availability-zone"},
        {"type": "binpack", "field": "memory"},
        {"type": "random"},
    )


def test_a_process_service_chooses_instances_itself() -> None:
    service = _service(synth_in_cluster({**EC2, **PROCESS, **CHOICE}))
    assert [one["Type"] for one in service["PlacementConstraints"]] == ["memberOf", "distinctInstance"]
    assert [one["Type"] for one in service["PlacementStrategies"]] == ["spread", "binpack", "random"]


@pytest.mark.parametrize(
    "arguments", [EC2, {"capacity": Capacity.fargate_spot()}, {**EC2, **CHOICE, "vpc_subnets": PRIVATE}]
)
def test_other_capacity_needs_no_other_rights(arguments: dict[str, Any]) -> None:
    def rights(template: Template) -> list[dict[str, Any]]:
        return [
            {**one, "Resource": placeholders(one["Resource"])} for one in template.statements("WatcherTaskTaskRole")
        ]

    assert rights(synth_in_cluster(arguments)) == rights(synth_in_cluster({}))
