"""The apps that the synth tests ask questions about: one App, a stack for each scenario."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import App, CfnParameter, Duration, Environment, NestedStack, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm

from tests.synth.template import ACCOUNT, REGION, Assembly
from watchbot_cdk import Backoff, Isolation, LogFormat, Watchbot

IMAGE = "public.ecr.aws/docker/library/busybox:stable"


def synthesise(directory: Path) -> Assembly:
    """Synthesise every scenario into a folder."""
    app = App(outdir=str(directory))
    _defaults(Stack(app, "Defaults"))
    _process(Stack(app, "Process"))
    _task(Stack(app, "Task"))
    _two(Stack(app, "Two"))
    _fifo(Stack(app, "Fifo"))
    _pinned(Stack(app, "Pinned", env=Environment(account=ACCOUNT, region=REGION)))
    _given_cluster(Stack(app, "Given"))
    _public_cluster(Stack(app, "Public"))
    _tokens(Stack(app, "Tokens"))
    Watchbot(NestedStack(Stack(app, "Outer"), "Inner"), "svc", image=_image())
    app.synth()
    return Assembly(directory)


def _image() -> ecs.ContainerImage:
    return ecs.ContainerImage.from_registry(IMAGE)


def _defaults(stack: Stack) -> None:
    Watchbot(stack, "svc", image=_image())


def _task(stack: Stack) -> None:
    Watchbot(
        stack,
        "svc",
        image=_image(),
        command=["count", "words"],
        environment={"LANGUAGE": "en", "AWS_PROFILE": "mine"},
        secrets={"TOKEN": _secret(stack)},
        permissions=[iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::books/*"])],
        cpu=1024,
        memory_limit_mib=4096,
        watchers=3,
        workers=40,
        max_receive_count=7,
        visibility_timeout=Duration.minutes(10),
        retention_period=Duration.days(10),
        backoff=Backoff(base=3, cap=Duration.minutes(5), jitter=0.5),
        job_timeout=Duration.hours(20),
        log_retention=Duration.days(90),
        log_format=LogFormat.JSON,
    )


def _process(stack: Stack) -> None:
    Watchbot(
        stack,
        "svc",
        image=_image(),
        isolation=Isolation.PROCESS,
        command=["count", "words"],
        environment={"LANGUAGE": "en", "AWS_PROFILE": "mine", "https_proxy": "http://proxy", "LD_PRELOAD": "/x.so"},
        secrets={"TOKEN": _secret(stack), "AWS_SECRET_ACCESS_KEY": _secret(stack, "Key")},
        permissions=[iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::books/*"])],
        workers=8,
        job_timeout=Duration.minutes(30),
    )


def _secret(stack: Stack, construct_id: str = "Secret") -> ecs.Secret:
    parameter = ssm.StringParameter.from_secure_string_parameter_attributes(
        stack, construct_id, parameter_name=f"/{construct_id.lower()}"
    )
    return ecs.Secret.from_ssm_parameter(parameter)


def _two(stack: Stack) -> None:
    Watchbot(stack, "First", image=_image())
    Watchbot(stack, "Second", image=_image(), isolation=Isolation.PROCESS, command=["true"])


def _fifo(stack: Stack) -> None:
    Watchbot(stack, "svc", image=_image(), fifo=True)


def _pinned(stack: Stack) -> None:
    Watchbot(stack, "svc", image=_image())


def _given_cluster(stack: Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        public_subnet_ids=["subnet-0000000000000000a", "subnet-0000000000000000b"],
        private_subnet_ids=["subnet-0000000000000001a", "subnet-0000000000000001b"],
    )
    cluster = ecs.Cluster(stack, "Cluster", vpc=vpc)
    Watchbot(stack, "svc", image=_image(), cluster=cluster)
    Watchbot(
        stack,
        "proc",
        image=_image(),
        isolation=Isolation.PROCESS,
        command=["true"],
        cluster=cluster,
        watcher_image=ecs.ContainerImage.from_registry("example/watcher:1"),
    )


def _public_cluster(stack: Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-0123456789abcdef0", availability_zones=["eu-west-1a"], public_subnet_ids=["subnet-0000000000000000a"]
    )
    Watchbot(stack, "svc", image=_image(), cluster=ecs.Cluster(stack, "Cluster", vpc=vpc))


def _tokens(stack: Stack) -> None:
    """Everything numeric known only at deployment."""

    def number(name: str) -> float:
        value: float = CfnParameter(stack, name, type="Number").value_as_number
        return value

    Watchbot(
        stack,
        "svc",
        image=_image(),
        watchers=number("Watchers"),
        workers=number("Workers"),
        max_receive_count=number("Receives"),
        visibility_timeout=Duration.seconds(number("Visibility")),
        retention_period=Duration.seconds(number("Retention")),
        job_timeout=Duration.seconds(number("JobTimeout")),
        cpu=number("Cpu"),
        memory_limit_mib=number("Memory"),
    )
