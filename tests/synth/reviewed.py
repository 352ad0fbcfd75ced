"""The services that are put before the reviewers: cdk-nag, cfn-lint, and our own list of rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_efs as efs
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from tests.synth.template import Template, cluster_with_instances, image
from watchbot_cdk import Capacity, Hmac, Isolation, Mount, Scaling, ScheduledMinimum, Watchbot, Webhook


def _task(stack: Stack) -> None:
    Watchbot(stack, "svc", image=image())


def _process(stack: Stack) -> None:
    Watchbot(stack, "svc", image=image(), isolation=Isolation.PROCESS, command=["work"])


def _fifo(stack: Stack) -> None:
    Watchbot(stack, "svc", image=image(), fifo=True, capacity=Capacity.fargate_spot())


def _payloads(stack: Stack) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Payloads", "payloads")
    Watchbot(stack, "task", image=image(), command=["work"], payload_bucket=bucket)
    Watchbot(
        stack,
        "process",
        image=image(),
        isolation=Isolation.PROCESS,
        command=["work"],
        payload_bucket=bucket,
        delete_payloads=True,
    )


def _vpc(stack: Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["a", "b"],
        private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    )


def _of_each_isolation(stack: Stack, **arguments: Any) -> None:
    for name, isolation in (("task", Isolation.TASK), ("process", Isolation.PROCESS)):
        Watchbot(stack, name, image=image(), isolation=isolation, command=["work"], **arguments)


def _instances(stack: Stack) -> None:
    vpc = _vpc(stack)
    cluster = cluster_with_instances(stack, vpc)
    _of_each_isolation(
        stack,
        cluster=cluster,
        capacity=Capacity.ec2(),
        placement_constraints=[ecs.PlacementConstraint.distinct_instances()],
    )


def _webhooks(stack: Stack) -> None:
    secret = secretsmanager.Secret.from_secret_name_v2(stack, "Secret", "github")
    Watchbot(stack, "signed", image=image(), webhook=Webhook(hmac=Hmac.github(secret)), publisher_user=True)
    keyed = Webhook(api_key=True, headers=["X-Trace"])
    Watchbot(stack, "keyed", image=image(), isolation=Isolation.PROCESS, command=["work"], fifo=True, webhook=keyed)


def _encrypted(stack: Stack) -> None:
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    vpc = _vpc(stack)
    files = efs.FileSystem(stack, "Files", vpc=vpc)
    mounts = [Mount.efs(files, "/files", access_point=files.add_access_point("Point")), Mount.ephemeral("/cache")]
    cluster = cluster_with_instances(stack, vpc)
    _of_each_isolation(
        stack,
        cluster=cluster,
        encryption_key=key,
        mounts=mounts,
        ephemeral_storage_gib=50,
        readonly_root_filesystem=True,
        reduce=True,
    )


def _notified(stack: Stack) -> None:
    morning = scheduler.ScheduleExpression.cron(minute="0", hour="8")
    _of_each_isolation(
        stack,
        watchers=Scaling(max=50, scheduled=[ScheduledMinimum(schedule=morning, min=1)]),
        notification_email="ops@example.com",
        notify_on_each_failure=True,
    )


def _sources(stack: Stack) -> None:
    svc = Watchbot(stack, "svc", image=image())
    svc.subscribe_to(sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:999999999999:jobs"))
    svc.on_event(events.EventPattern(source=["shop"]))
    svc.on_s3_event(s3.Bucket.from_bucket_name(stack, "Inbox", "inbox"), prefix="in/", suffix=".csv")
    hourly = scheduler.ScheduleExpression.rate(Duration.hours(1))
    svc.on_schedule(hourly)
    ordered = Watchbot(stack, "ordered", image=image(), fifo=True)
    ordered.on_event(events.EventPattern(source=["shop"]), message_group_id="orders")
    ordered.on_schedule(hourly, "go", message_group_id="clock")


SERVICES: Mapping[str, Callable[[Stack], None]] = {
    "task": _task,
    "process": _process,
    "fifo": _fifo,
    "payloads": _payloads,
    "instances": _instances,
    "webhooks": _webhooks,
    "encrypted": _encrypted,
    "notified": _notified,
    "sources": _sources,
}


def synth_services() -> tuple[App, dict[str, Template]]:
    """Synthesise them in one app, a stack each; half of the stacks know their account and region."""
    app = App()
    for number, (name, build) in enumerate(SERVICES.items()):
        known = Environment(account="123456789012", region="eu-west-1") if number % 2 else None
        build(Stack(app, name, env=known))
    assembly = app.synth()
    return app, {name: Template(assembly.get_stack_by_name(name).template) for name in SERVICES}
