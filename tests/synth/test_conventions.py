"""What a CDK library owes its users: any app, stack, partition, tag, policy and flag, and ids that stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, PermissionsBoundary, RemovalPolicies, Stack, Stage, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from constructs import Construct

from tests.synth.template import Template, image, placeholders, synth, synth_watchbot
from watchbot_cdk import Isolation, Scaling, Watchbot

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["work"]}
REGIONS = {
    "aws-cn": Environment(account="111111111111", region="cn-north-1"),
    "aws-us-gov": Environment(account="111111111111", region="us-gov-west-1"),
}


def _with_sources(stack: Stack, **arguments: Any) -> Watchbot:
    svc = Watchbot(stack, "svc", image=image(), **arguments)
    svc.subscribe_to(sns.Topic(stack, "Theirs"))
    svc.on_event(events.EventPattern(source=["shop"]))
    svc.on_s3_event(s3.Bucket(stack, "Bucket"))
    svc.on_schedule(scheduler.ScheduleExpression.rate(Duration.hours(1)))
    svc.grant_redrive(iam.Role(stack, "Operator", assumed_by=iam.AccountRootPrincipal()))
    return svc


def _names(template: Template) -> set[str]:
    """Give the logical ids, which are a construct's path and a hash of it."""
    return {name[:-8] for name in template.resources}


SHARED = {
    "WatchbotCluster",
    "WatchbotFlowLogs",
    "WatchbotVpc",
    "WatchbotVpcFlowLog",
    "WatchbotVpcFlowLogIAMRole",
    "WatchbotVpcFlowLogIAMRoleDefaultPolicy",
    "WatchbotVpcIGW",
    "WatchbotVpcPublicSubnet1DefaultRoute",
    "WatchbotVpcPublicSubnet1RouteTable",
    "WatchbotVpcPublicSubnet1RouteTableAssociation",
    "WatchbotVpcPublicSubnet1Subnet",
    "WatchbotVpcPublicSubnet2DefaultRoute",
    "WatchbotVpcPublicSubnet2RouteTable",
    "WatchbotVpcPublicSubnet2RouteTableAssociation",
    "WatchbotVpcPublicSubnet2Subnet",
    "WatchbotVpcS3",
    "WatchbotVpcVPCGW",
}
"""What a stack has once for all its Watchbots."""
EITHER = {
    "svcMonitorsDashboard",
    "svcMonitorsDeadLetterAlarm",
    "svcDeadLetterQueue",
    "svcDeadLetterQueuePolicy",
    "svcMonitorsDwellTimeAlarm",
    "svcMonitorsFailedWorkerPlacementAlarm",
    "svcLogGroup",
    "svcMonitorsMoreDeadLettersAlarm",
    "svcNotificationTopic",
    "svcNotificationTopicPolicy",
    "svcQueue",
    "svcQueuePolicy",
    "svcQueueDemosvcTopic6E728FCC",
    "svcMonitorsQueueSizeAlarm",
    "svcSecurityGroup",
    "svcService",
    "svcMonitorsStalledAlarm",
    "svcTopic",
    "svcTopicPolicy",
    "svcMonitorsWorkerErrorRateAlarm",
    "svcMonitorsWorkerErrorsAlarm",
}
TASK = EITHER | {
    "svcPayloadBucket",
    "svcPayloadBucketPolicy",
    "svcWatcherTask",
    "svcWatcherTaskTaskRole",
    "svcWatcherTaskTaskRoleExecutionRole",
    "svcWatcherTaskTaskRoleExecutionRoleDefaultPolicy",
    "svcWorkerTask",
    "svcWorkerTaskTaskRole",
    "svcWorkerTaskTaskRoleExecutionRole",
    "svcWorkerTaskTaskRoleExecutionRoleDefaultPolicy",
}
IN_PROCESS = EITHER | {
    "svcTask",
    "svcTaskTaskRole",
    "svcTaskTaskRoleExecutionRole",
    "svcTaskTaskRoleExecutionRoleDefaultPolicy",
}
WITH_SCALING = {
    "svcMonitorsAtMaxCapacityAlarm",
    "svcMonitorsQueueSizeAlarm",
    "svcMonitorsScalableTarget",
    "svcMonitorsScaleInAlarm",
    "svcMonitorsScaleInPolicy",
    "svcMonitorsScaleOutAlarm",
    "svcMonitorsScaleOutPolicy",
}
"""What comes with Scaling, and the one that goes."""


@pytest.fixture(scope="module", params=[TASK, IN_PROCESS], ids=["task", "process"])
def isolation(request: pytest.FixtureRequest) -> tuple[dict[str, Any], set[str]]:
    return ({} if request.param == TASK else PROCESS), request.param


def test_construct_ids_stay_as_they_are(isolation: tuple[dict[str, Any], set[str]]) -> None:
    """A resource of another id is another resource: a queue would be deleted, with the messages in it."""
    arguments, ids = isolation
    assert _names(synth_watchbot(**arguments)) == ids | SHARED
    assert _names(synth_watchbot(**arguments, watchers=Scaling(max=2))) ^ (ids | SHARED) == WITH_SCALING


def test_a_service_has_the_name_of_its_path_whatever_is_in_its_id() -> None:
    def build(stack: Stack) -> None:
        for name in ("maps/tiles 2", "two\nlines", "画像", "*", "Default"):
            paths.add(Watchbot(Construct(stack, f"Team{len(paths)}"), name, image=image()).node.path)
            paths.add(Watchbot(stack, name, image=image()).node.path)

    paths: set[str] = set()
    watchers = synth(build).environments("watcher")
    assert {one["WATCHBOT_SERVICE"] for one in watchers} == paths
    assert len(paths) == 10


def test_roles_may_be_created_by_somebody_else_who_is_told_of_every_right(tmp_path: Path) -> None:
    """Where an account takes no IAM resources from an app."""
    app = App(outdir=str(tmp_path))
    stack = Stack(app, "Demo")
    iam.Role.customize_roles(stack, prevent_synthesis=True, use_precreated_roles=dict.fromkeys(_PRECREATED, "given"))
    Watchbot(stack, "svc", image=image(), reduce=True)
    Watchbot(stack, "process", image=image(), **PROCESS)
    template = Template(app.synth().get_stack_by_name("Demo").template)
    assert not [one["Type"] for one in template.resources.values() if one["Type"].startswith("AWS::IAM::")]
    report = json.loads((tmp_path / "iam-policy-report.json").read_text())
    told = {
        role["roleConstructPath"]: {
            action
            for statement in role["identityPolicyStatements"]
            for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
        }
        for role in report["roles"]
    }
    assert told["Demo/svc/WatcherTaskTaskRole"] >= {"ecs:RunTask", "iam:PassRole", "sqs:ReceiveMessage"}
    assert told["Demo/svc/WorkerTaskTaskRole"] >= {"sns:Publish", "dynamodb:UpdateItem"}
    assert told["Demo/process/TaskTaskRole"] >= {"sns:Publish", "sqs:SendMessage", "ecs:UpdateTaskProtection"}


_PRECREATED = [
    "Demo/WatchbotVpc/FlowLogIAMRole",
    *(
        f"Demo/{task}TaskRole{role}"
        for task in ("svc/WatcherTask", "svc/WorkerTask", "process/Task")
        for role in ("", "/ExecutionRole")
    ),
]


def test_tags_reach_every_resource_and_every_task(isolation: tuple[dict[str, Any], set[str]]) -> None:
    arguments, _ = isolation
    template = synth(lambda stack: Tags.of(Watchbot(stack, "svc", image=image(), **arguments)).add("team", "maps"))
    untagged = {
        resource["Type"]
        for name, resource in template.resources.items()
        if name.startswith("svc") and "maps" not in json.dumps(resource["Properties"].get("Tags"))
    }
    # CloudFormation tags none of these.
    assert untagged <= {
        "AWS::IAM::Policy",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
    assert template.one("AWS::ECS::Service")["PropagateTags"] == "TASK_DEFINITION"


def _policies(template: Template) -> dict[str, str | None]:
    kinds = ("AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::ECS::Service")
    return {
        name: resource.get("DeletionPolicy")
        for name, resource in template.resources.items()
        if resource["Type"] in kinds
    }


def test_a_removal_policy_for_all_is_respected() -> None:
    def build(stack: Stack) -> None:
        Watchbot(stack, "svc", image=image())
        RemovalPolicies.of(stack).retain()

    assert set(_policies(synth(build)).values()) == {"Retain"}


def test_a_permissions_boundary_for_all_is_respected() -> None:
    def build(stack: Stack) -> None:
        _with_sources(stack)
        boundary = iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "boundary")
        iam.PermissionsBoundary.of(stack).apply(boundary)

    roles = synth(build).of_type("AWS::IAM::Role")
    assert roles
    assert all(":policy/boundary" in placeholders(role["PermissionsBoundary"]) for role in roles.values())


def test_the_boundary_of_a_stage_is_respected() -> None:
    app = App()
    stage = Stage(app, "Prod", permissions_boundary=PermissionsBoundary.from_name("boundary"))
    stack = Stack(stage, "Demo")
    Watchbot(stack, "svc", image=image())
    template = Template(app.synth().get_nested_assembly("assembly-Prod").get_stack_artifact(stack.artifact_id).template)
    for role in template.of_type("AWS::IAM::Role").values():
        assert ":policy/boundary" in placeholders(role["PermissionsBoundary"])


FLAGS = [
    "@aws-cdk/aws-iam:minimizePolicies",
    "@aws-cdk/core:enablePartitionLiterals",
    "@aws-cdk/core:checkSecretUsage",
    "@aws-cdk/aws-ec2:restrictDefaultSecurityGroup",
    "@aws-cdk/aws-events:eventsTargetQueueSameAccount",
    "@aws-cdk/aws-sns-subscriptions:restrictSqsDescryption",
    "@aws-cdk/aws-s3:createDefaultLoggingPolicy",
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy",
    "@aws-cdk/aws-ecs:arnFormatIncludesClusterName",
    "@aws-cdk/aws-ecs:disableExplicitDeploymentControllerForCircuitBreaker",
    "@aws-cdk/aws-ecs:removeDefaultDeploymentAlarm",
    "@aws-cdk/aws-ecs:reduceEc2FargateCloudWatchPermissions",
    "@aws-cdk/core:aspectStabilization",
    "@aws-cdk/aws-kms:reduceCrossAccountRegionPolicyScope",
]
"""What cdk init turns on in a new app, as far as it is about a service of ours."""


def _with_flags(value: bool) -> Template:
    app = App(context=dict.fromkeys(FLAGS, value))
    stack = Stack(app, "Demo", env=Environment(account="111111111111", region="eu-west-1"))
    _with_sources(stack)
    return Template(app.synth().get_stack_by_name("Demo").template)


def test_feature_flags_change_no_resource_and_bring_no_function() -> None:
    off, on = _with_flags(False), _with_flags(True)
    assert _names(off) == _names(on)
    assert not any("Lambda" in one["Type"] or one["Type"].startswith("Custom::") for one in on.resources.values())


@pytest.mark.parametrize("arguments", [{}, PROCESS])
@pytest.mark.parametrize("partition", REGIONS)
def test_no_name_of_another_partition_is_in_the_template(partition: str, arguments: dict[str, Any]) -> None:
    template = synth(lambda stack: _with_sources(stack, **arguments), environment=REGIONS[partition])
    text = json.dumps([template.resources, template.outputs])
    assert "arn:aws:" not in text
    services = {part for part in text.split('"') if "amazonaws.com" in part}
    # Services are called so in every partition, and S3's endpoint is that of the region.
    assert all(one.endswith(".amazonaws.com") and "/" not in one for one in services if "cn-north" not in one), services


def test_where_it_goes_is_left_to_the_deployment_in_a_stack_that_does_not_say() -> None:
    text = json.dumps(dict(synth(_with_sources).resources))
    assert "arn:aws:" not in text
    assert '"Fn::GetAZs"' in text


def test_the_default_network_reaches_s3_without_the_internet_and_logs_what_flows() -> None:
    template = synth_watchbot()
    endpoint = template.one("AWS::EC2::VPCEndpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert placeholders(endpoint["ServiceName"]).endswith(".s3")
    assert template.one("AWS::EC2::FlowLog")["LogDestinationType"] == "cloud-watch-logs"
    assert not template.of_type("AWS::EC2::NatGateway")
    public = [subnet["MapPublicIpOnLaunch"] for subnet in template.of_type("AWS::EC2::Subnet").values()]
    assert public == [True, True]


def test_a_given_cluster_brings_no_network_of_ours() -> None:
    def build(stack: Stack) -> None:
        vpc = ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["eu-west-1a"],
            private_subnet_ids=["subnet-0123456789abcdef0"],
        )
        cluster = ecs.Cluster.from_cluster_attributes(stack, "Mine", cluster_name="mine", vpc=vpc)
        Watchbot(stack, "svc", image=image(), cluster=cluster)

    assert _names(synth(build)) == TASK
