"""What a worker finds in its file system beside its image."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs

from tests.synth.template import (
    Template,
    cluster_with_instances,
    image,
    placeholders,
    synth,
    synth_in_cluster,
    synth_watchbot,
)
from watchbot.contract import Isolation
from watchbot_cdk import Capacity, Mount, Watchbot, WatchbotArgumentError

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["true"]}
EC2: dict[str, Any] = {"capacity": Capacity.ec2(), "cpu": 300, "memory_limit_mib": 3000}
ISOLATIONS = pytest.mark.parametrize("isolation", [{}, PROCESS], ids=["task", "process"])


def _mounted(template: Template) -> dict[str, tuple[Any, bool]]:
    """Give each path of the worker's with its volume and whether it is read-only."""
    volumes = {
        volume["Name"]: volume
        for task in template.of_type("AWS::ECS::TaskDefinition").values()
        for volume in task.get("Volumes", [])
    }
    return {
        mount["ContainerPath"]: (volumes[mount["SourceVolume"]], mount["ReadOnly"])
        for mount in template.container("worker")["MountPoints"]
        if mount["SourceVolume"].startswith("mount-")
    }


def _mounting(template: Template) -> list[dict[str, Any]]:
    statements = [one for policy in template.of_type("AWS::IAM::Policy").values() for one in _statements(policy)]
    return [one for one in statements if "elasticfilesystem" in str(one["Action"])]


def _statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


@ISOLATIONS
def test_workers_on_ec2_share_directories_of_their_instance(isolation: dict[str, Any]) -> None:
    mounts = [Mount.host("/data", "/mnt/data"), Mount.host("/models", "/models", read_only=True)]
    template = synth_in_cluster({**EC2, **isolation, "mounts": [*mounts, Mount.ephemeral("/tmp")]})
    mounted = _mounted(template)
    assert mounted["/mnt/data"] == ({"Name": "mount-0", "Host": {"SourcePath": "/data"}}, False)
    assert mounted["/models"] == ({"Name": "mount-1", "Host": {"SourcePath": "/models"}}, True)
    assert mounted["/tmp"] == ({"Name": "mount-2"}, False)


@ISOLATIONS
def test_a_file_system_is_mounted_encrypted_by_the_tasks_role_and_lets_the_tasks_in(isolation: dict[str, Any]) -> None:
    def arguments(stack: Stack, vpc: ec2.Vpc) -> dict[str, Any]:
        files = efs.FileSystem(stack, "Files", vpc=vpc)
        point = files.add_access_point("Point")
        mounts = [Mount.efs(files, "/all", read_only=True), Mount.efs(files, "/own", access_point=point)]
        return {"mounts": mounts, **isolation}

    template = synth_in_cluster(arguments)
    volumes = {path: volume["EFSVolumeConfiguration"] for path, (volume, _) in _mounted(template).items()}
    assert {volume["TransitEncryption"] for volume in volumes.values()} == {"ENABLED"}
    assert volumes["/all"]["AuthorizationConfig"] == {"IAM": "ENABLED"}
    assert "FilesPoint" in str(volumes["/own"]["AuthorizationConfig"]["AccessPointId"])
    reading, writing = _mounting(template)
    assert reading["Action"] == "elasticfilesystem:ClientMount"
    assert writing["Action"] == ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    assert "elasticfilesystem:AccessPointArn" in writing["Condition"]["StringEquals"]
    assert placeholders(reading["Resource"]) == placeholders(writing["Resource"])
    (ingress,) = template.of_type("AWS::EC2::SecurityGroupIngress").items()
    assert (ingress[1]["FromPort"], "svcSecurityGroup" in str(ingress[1]["SourceSecurityGroupId"])) == (2049, True)
    service = next(one for one in template.resources.values() if one["Type"] == "AWS::ECS::Service")
    awaited = service["DependsOn"]
    assert ingress[0] in awaited
    assert any("EfsMountTarget" in name for name in awaited)


def test_workers_in_their_instances_network_reach_a_file_system_through_the_instances_security_group() -> None:
    def build(stack: Stack) -> None:
        vpc = ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=1)
        files = efs.FileSystem(stack, "Files", vpc=vpc)
        cluster = cluster_with_instances(stack, vpc)
        Watchbot(stack, "svc", image=image(), cluster=cluster, mounts=[Mount.efs(files, "/files")], **EC2)

    sources = [
        str(one["SourceSecurityGroupId"]) for one in synth(build).of_type("AWS::EC2::SecurityGroupIngress").values()
    ]
    assert any("Instances" in source for source in sources)


def test_a_file_system_of_another_stack_is_no_circle_of_stacks() -> None:
    app = App()
    there, here = Stack(app, "There"), Stack(app, "Here")
    vpc = ec2.Vpc(there, "Vpc", max_azs=1, nat_gateways=1)
    files = efs.FileSystem(there, "Files", vpc=vpc)
    cluster = cluster_with_instances(here, vpc)
    Watchbot(here, "svc", image=image(), cluster=cluster, mounts=[Mount.efs(files, "/files")])
    template = Template(app.synth().get_stack_by_name("Here").template)
    assert len(template.of_type("AWS::EC2::SecurityGroupIngress")) == 1


def test_a_path_known_only_at_deployment_is_taken() -> None:
    def build(stack: Stack) -> None:
        path = CfnParameter(stack, "Path").value_as_string
        Watchbot(stack, "svc", image=image(), mounts=[Mount.ephemeral(path)])

    (point,) = synth(build).container("worker")["MountPoints"]
    assert point["ContainerPath"] == {"Ref": "Path"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"mounts": ["/tmp"]}, "mounts must be a list of Mount, got ['/tmp']"),
        ({"mounts": Mount.ephemeral("/a")}, "mounts must be a list of Mount, got Mount("),
        ({"mounts": [Mount.ephemeral("a")]}, "mounts container_path must be an absolute path below /, got 'a'"),
        ({"mounts": [Mount.ephemeral("/")]}, "mounts container_path must be an absolute path below /, got '/'"),
        ({"mounts": [Mount.ephemeral("/a"), Mount.ephemeral("/a")]}, "mounts must have a container_path each, got /a"),
        ({"mounts": [Mount.host("/a", "/b")]}, "mounts of the host are for EC2 capacity, got '/a': Fargate has no"),
        ({"mounts": [Mount.efs("fs-1", "/b")]}, "mounts file_system must be an EFS FileSystem, got 'fs-1'"),  # type: ignore[arg-type] # refused
        (
            {"mounts": [Mount.ephemeral("/opt")], **PROCESS},
            "mounts container_path must be clear of /opt/watchbot and /var/watchbot with Isolation.PROCESS, where the",
        ),
        ({"mounts": [Mount.ephemeral("/var/watchbot/x")], **PROCESS}, "got '/var/watchbot/x'"),
        ({"mounts": [Mount.ephemeral("/var/../opt/watchbot")], **PROCESS}, "got '/var/../opt/watchbot'"),
        ({"mounts": [Mount.ephemeral("//opt")], **PROCESS}, "got '//opt'"),
        (
            {"mounts": [Mount.ephemeral("//a"), Mount.ephemeral("/a")]},
            "mounts must have a container_path each, got //a",
        ),
        ({"mounts": [Mount.ephemeral("/a/b/.."), Mount.ephemeral("/a")]}, "mounts must have a container_path each"),
        ({"mounts": [Mount.ephemeral("/a/..")]}, "mounts container_path must be an absolute path below /, got '/a/..'"),
    ],
)
def test_refuses_mounts_that_cannot_be(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        synth_watchbot(**arguments)
    assert says in str(caught.value)
    assert len(caught.value.problems) == 1
