"""In which subnets tasks run, with which addresses, and what the watcher is told of it and of starting them."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk.assertions import Annotations, Match

from tests.synth.template import (
    Template,
    cluster_with_instances,
    image,
    placeholders,
    synth,
    synth_in_cluster,
    synth_watchbot,
    watcher_settings,
)
from watchbot.contract import Isolation
from watchbot_cdk import Capacity, Watchbot

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["true"]}
EC2: dict[str, Any] = {"capacity": Capacity.ec2()}
PUBLIC = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
PRIVATE = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)


def _awsvpc(template: Template) -> dict[str, Any]:
    awsvpc: dict[str, Any] = template.one("AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    return awsvpc


def test_the_subnets_asked_for_are_the_service_and_workers_own() -> None:
    template = synth_in_cluster({"vpc_subnets": PUBLIC})
    awsvpc = _awsvpc(template)
    assert "Public" in awsvpc["Subnets"][0]["Ref"]
    assert awsvpc["AssignPublicIp"] == "ENABLED"
    settings = watcher_settings(template)
    assert settings.task_subnets == tuple(placeholders(subnet) for subnet in awsvpc["Subnets"])
    assert settings.task_public_ip


def test_public_addresses_lead_to_public_subnets() -> None:
    awsvpc = _awsvpc(synth_in_cluster({"assign_public_ip": True}))
    assert "Public" in awsvpc["Subnets"][0]["Ref"]
    assert awsvpc["AssignPublicIp"] == "ENABLED"


def test_the_security_groups_asked_for_are_all_there_are() -> None:
    def arguments(stack: Stack, vpc: ec2.Vpc) -> dict[str, Any]:
        return {"security_groups": [ec2.SecurityGroup(stack, name, vpc=vpc) for name in ("First", "Second")]}

    template = synth_in_cluster(arguments)
    groups = _awsvpc(template)["SecurityGroups"]
    assert ["First" in str(groups[0]), "Second" in str(groups[1])] == [True, True]
    assert watcher_settings(template).task_security_groups == tuple(placeholders(group) for group in groups)
    assert not [name for name in template.of_type("AWS::EC2::SecurityGroup") if name.startswith("svc")]


@pytest.mark.parametrize(
    ("arguments", "groups"),
    [
        ({}, {"Demo/svc/SecurityGroup"}),
        ({**EC2}, {"Demo/svc/SecurityGroup", "Demo/Instances"}),
        ({**EC2, "vpc_subnets": PRIVATE}, {"Demo/svc/SecurityGroup"}),
        ({**EC2, **PROCESS}, {"Demo/Instances"}),
    ],
)
def test_connections_are_those_that_workers_have(arguments: dict[str, Any], groups: set[str]) -> None:
    def build(stack: Stack) -> None:
        vpc = ec2.Vpc(stack, "Vpc", max_azs=1)
        svc = Watchbot(stack, "svc", image=image(), cluster=cluster_with_instances(stack, vpc), **arguments)
        assert {group.node.path for group in svc.connections.security_groups} == groups

    synth(build)


@pytest.mark.parametrize(
    ("arguments", "warns"),
    [
        ({"vpc_subnets": PUBLIC, "assign_public_ip": False}, True),
        ({**EC2, "vpc_subnets": PUBLIC}, True),
        ({"vpc_subnets": PUBLIC}, False),
        ({"assign_public_ip": False}, False),
        ({**EC2, "vpc_subnets": PRIVATE}, False),
        (EC2, False),
    ],
)
def test_tasks_without_a_way_out_are_warned_of(arguments: dict[str, Any], warns: bool) -> None:
    stack = Stack(App(), "Demo")
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=1)
    Watchbot(stack, "svc", image=image(), cluster=cluster_with_instances(stack, vpc), **arguments)
    found = Annotations.from_stack(stack).find_warning("/Demo/svc", Match.string_like_regexp("reach AWS only through"))
    assert bool(found) is warns


def test_subnets_imported_by_their_ids_are_taken_as_they_are() -> None:
    def arguments(stack: Stack, vpc: ec2.Vpc) -> dict[str, Any]:
        subnet = ec2.Subnet.from_subnet_id(stack, "Imported", "subnet-0123456789abcdef0")
        return {"vpc_subnets": ec2.SubnetSelection(subnets=[subnet]), "assign_public_ip": True}

    template = synth_in_cluster(arguments)
    assert watcher_settings(template).task_subnets == ("subnet-0123456789abcdef0",)
    assert _awsvpc(template)["Subnets"] == ["subnet-0123456789abcdef0"]
    assert _awsvpc(template)["AssignPublicIp"] == "ENABLED"


def test_subnets_that_are_still_to_be_looked_up_are_not_judged() -> None:
    def build(stack: Stack) -> None:
        vpc = ec2.Vpc.from_lookup(stack, "Vpc", vpc_name="theirs")
        inner = ec2.SubnetSelection(subnet_group_name="Inner")
        Watchbot(stack, "svc", image=image(), cluster=ecs.Cluster(stack, "Mine", vpc=vpc), vpc_subnets=inner)

    assert synth(build, environment=Environment(account="123456789012", region="eu-west-1")).resources


def test_subnets_known_only_at_deployment_reach_the_watcher() -> None:
    def build(stack: Stack) -> None:
        ids = Fn.split(",", Fn.import_value("private-subnets"), 2)
        vpc = ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["eu-west-1a", "eu-west-1b"],
            private_subnet_ids=ids,
        )
        Watchbot(stack, "svc", image=image(), cluster=cluster_with_instances(stack, vpc), vpc_subnets=PRIVATE)

    template = synth(build)
    written = template.environment("watcher")["WATCHBOT_TASK_SUBNETS"]
    assert placeholders(written) == ",".join(map(placeholders, _awsvpc(template)["Subnets"]))


def test_the_watcher_knows_how_long_a_start_may_take_and_how_many_share_the_account() -> None:
    settings = watcher_settings(synth_watchbot(start_timeout=Duration.minutes(30), watchers=7))
    assert (settings.start_timeout_seconds, settings.watchers) == (1800, 7)
    assert watcher_settings(synth_watchbot(watchers=0)).watchers == 1


def test_a_number_of_watchers_known_only_at_deployment_reaches_them() -> None:
    def build(stack: Stack) -> None:
        Watchbot(stack, "svc", image=image(), watchers=CfnParameter(stack, "Count", type="Number").value_as_number)

    assert synth(build).environment("watcher")["WATCHBOT_WATCHERS"] == {"Ref": "Count"}


def test_a_process_watcher_is_told_nothing_of_tasks() -> None:
    template = synth_watchbot(watchers=3, **PROCESS)
    assert not {"WATCHBOT_WATCHERS", "WATCHBOT_TASK_PAYLOAD_BUCKET"} & template.environment("worker").keys()
