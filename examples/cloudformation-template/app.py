"""A service in a stack whose parameters and other resources stay in the CloudFormation template they are in."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Acknowledgment, App, Fn, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import cloudformation_include as cfn_include

from watchbot_cdk import Watchbot

app = App()
stack = Stack(app, "Tiles")
template = cfn_include.CfnInclude(stack, "Template", template_file=str(Path(__file__).parent / "team.yaml"))


def parameter(name: str) -> str:
    return template.get_parameter(name).value_as_string


vpc = ec2.Vpc.from_vpc_attributes(
    stack,
    "Vpc",
    vpc_id=parameter("VpcId"),
    availability_zones=[Fn.select(number, Fn.get_azs()) for number in (0, 1)],
    private_subnet_ids=[parameter("SubnetA"), parameter("SubnetB")],
)
cluster = ecs.Cluster.from_cluster_attributes(stack, "Cluster", cluster_name=parameter("ClusterName"), vpc=vpc)
repository = ecr.Repository.from_repository_name(stack, "Repository", "tiles")
table = dynamodb.Table.from_table_name(stack, "Table", template.get_resource("Tiles").ref)

svc = Watchbot(
    stack,
    "svc",
    image=ecs.ContainerImage.from_ecr_repository(repository, tag=parameter("ImageTag")),
    environment={"TABLE": table.table_name, "ZOOM": parameter("Zoom")},
    workers=template.get_parameter("Workers").value_as_number,
    cluster=cluster,
)
table.grant_write_data(svc.task_role)
# A reviewer with cdk-nag asks of variables in plain text.
Validations.of(svc.task_definition).acknowledge(
    Acknowledgment(id="AwsSolutions-ECS2", reason="neither the table's name nor a zoom level is a secret")
)
app.synth()
