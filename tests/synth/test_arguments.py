from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from tests.synth.template import image, placeholders, synth, synth_watchbot
from watchbot.contract import Isolation
from watchbot_cdk import Backoff, Watchbot, WatchbotArgumentError

PROCESS = {"isolation": Isolation.PROCESS, "command": ["true"]}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"image": "busybox"}, "image must be a ContainerImage, got 'busybox'"),
        ({"isolation": "process"}, "isolation must be a Isolation, got 'process'"),
        ({"isolation": Isolation.PROCESS}, "command is required with Isolation.PROCESS, got None"),
        ({"command": []}, "command must name a program, got []"),
        ({"command": "echo hi"}, "command must be a list of arguments, no shell line, got 'echo hi'"),
        ({"command": ["echo", 1]}, "command must be a list of strings, got ['echo', 1]"),
        ({"command": [""]}, "command must name a program, got ['']"),
        ({"environment": ["A=B"]}, "environment must map names to strings, got a list"),
        ({"environment": {"COUNT": 1}}, "environment must map names to strings, got {'COUNT': int}"),
        ({"secrets": {"TOKEN": "hunter2"}}, "secrets must map names to ecs.Secret, got {'TOKEN': str}"),
        ({"permissions": ["s3:GetObject"]}, "permissions must be a list of PolicyStatement, got ['s3:GetObject']"),
        ({"permissions": iam.PolicyStatement()}, "permissions must be a list of PolicyStatement, got <"),
        ({"cluster": "mine"}, "cluster must be a Cluster or None, got 'mine'"),
        ({"environment": {"Message": "x"}}, "environment cannot set Message: Watchbot sets it"),
        ({"environment": {"WATCHBOT_WORKERS": "9"}}, "environment cannot set WATCHBOT_WORKERS"),
        ({"environment": {"A=B": "x"}}, "environment has 'A=B', which is no name"),
        ({"environment": {"A\nB": "x"}}, "environment has 'A\\nB', which is no name"),
        ({"environment": {"A\0": "x"}}, "environment has 'A\\x00', which is no name"),
        ({"environment": {"A": "a\0b"}}, "environment A must not contain a NUL, which no variable can, got one at 1"),
        ({"environment": {"A": "x" * 131_070}}, "environment must be at most 65536 bytes of names and values, the"),
        ({"environment": {"A": "ü" * 32_768, "B": "b"}}, "got 65541, most of them in 'A'"),
        (
            {"permissions": [iam.PolicyStatement(resources=["*"])]},
            "permissions must be what a role can have, got {'Eff",
        ),
        ({"permissions": [iam.PolicyStatement(actions=["s3:*"])]}, "must specify at least one resource"),
        (
            {
                "permissions": [
                    iam.PolicyStatement(actions=["s3:*"], resources=["*"], principals=[iam.AnyPrincipal()]),
                ]
            },
            "cannot specify any IAM principals",
        ),
        ({"cpu": 300}, "cpu must be one of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768 on Fargate"),
        ({"cpu": [256]}, "cpu must be one of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768 on Fargate"),
        ({"cpu": float("nan")}, "cpu must be one of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768 on Fargate"),
        ({"cpu": 256, "memory_limit_mib": 4096}, "memory_limit_mib must be 512, 1024, 2048 with cpu 256 on Fargate"),
        ({"cpu": 4096, "memory_limit_mib": 512}, "must be 8192 to 30720 in steps of 1024 with cpu 4096"),
        ({"cpu": 32_768, "memory_limit_mib": 65_536}, "must be 61440, 122880, 249856 with cpu 32768 on Fargate"),
        (
            {
                "runtime_platform": ecs.RuntimePlatform(
                    operating_system_family=ecs.OperatingSystemFamily.WINDOWS_SERVER_2019_CORE
                )
            },
            "runtime_platform must be LINUX on X86_64 or ARM64, got WINDOWS_SERVER_2019_CORE on X86_64",
        ),
        (
            {"runtime_platform": ecs.RuntimePlatform(cpu_architecture=ecs.CpuArchitecture.of("RISCV"))},
            "runtime_platform must be LINUX on X86_64 or ARM64, got LINUX on RISCV",
        ),
        ({"runtime_platform": "arm64"}, "runtime_platform must be a RuntimePlatform or None, got 'arm64'"),
        ({"payload_bucket": "mine"}, "payload_bucket must be a Bucket or None, got 'mine'"),
        ({"delete_payloads": 1}, "delete_payloads must be"),
        ({"delete_payloads": True}, "delete_payloads needs a payload_bucket, got True without one"),
        ({"watchers": -1}, "watchers must be a whole number from 0 to 5000, got -1"),
        ({"workers": 0}, "workers must be a whole number from 1 to 1000, got 0"),
        ({"workers": 1.5}, "workers must be a whole number from 1 to 1000, got 1.5"),
        ({"workers": True}, "workers must be a whole number from 1 to 1000, got True"),
        ({"workers": float("inf")}, "workers must be a whole number from 1 to 1000, got inf"),
        ({"max_receive_count": 1001}, "max_receive_count must be a whole number from 1 to 1000, got 1001"),
        ({"visibility_timeout": Duration.seconds(1)}, "visibility_timeout must be 3 to 43200 seconds, got 1"),
        ({"visibility_timeout": 180}, "visibility_timeout must be a Duration, got 180"),
        ({"retention_period": Duration.days(15)}, "retention_period must be 60 to 1209600 seconds, got 1296000"),
        ({"log_retention": Duration.days(8)}, "log_retention must be one of 1, 3, 5, 7, 14"),
        ({"backoff": Backoff(base=0)}, "backoff base must be a number from 1 to 60, got 0"),
        ({"backoff": Backoff(base=float("nan"))}, "backoff base must be a number from 1 to 60, got nan"),
        ({"backoff": Backoff(cap=60)}, "backoff cap must be a Duration or None, got 60"),  # type: ignore[arg-type] # refused
        ({"backoff": Backoff(jitter=2)}, "backoff jitter must be a number from 0 to 1, got 2"),
        ({"backoff": Backoff(cap=Duration.days(1))}, "backoff cap must be 0 to 43200 seconds"),
        (
            {"job_timeout": Duration.hours(12), **PROCESS},
            "job_timeout must be at most 11 h 50 min with Isolation.PROCESS",
        ),
        (
            {"job_timeout": Duration.days(2), "retention_period": Duration.days(1)},
            "job_timeout (172800 s) must be shorter than retention_period (86400 s)",
        ),
        ({"job_timeout": Duration.millis(1500)}, "job_timeout must be whole seconds, got 1.5"),
        ({"start_timeout": 600}, "start_timeout must be a Duration or None, got 600"),
        ({"start_timeout": Duration.seconds(0)}, "start_timeout must be 1 to 43200 seconds, got 0"),
        ({"start_timeout": Duration.minutes(1), **PROCESS}, "start_timeout is for Isolation.TASK, got one with"),
    ],
)
def test_refuses_by_name_with_the_value_and_what_is_allowed(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        synth_watchbot(**arguments)
    assert says in str(caught.value)
    assert str(caught.value).startswith("Watchbot Demo/svc: ")
    assert len(caught.value.problems) == 1


def test_an_environment_may_be_as_large_as_ecs_takes_and_its_names_as_odd() -> None:
    environment = {"A": "x" * 60_000, "B": "two\nlines\t", "my.setting-1": "", "ÜBER": "ü" * 2_700}
    given = synth_watchbot(environment=environment).environment("worker")
    assert {name: given[name] for name in environment} == environment


def test_refuses_everything_at_once() -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        synth_watchbot(workers=0, watchers=-1, environment={"Subject": "x"}, cpu=1)
    assert [problem.split()[0] for problem in caught.value.problems] == ["environment", "watchers", "workers", "cpu"]


def test_refuses_a_cluster_from_which_no_task_reaches_aws() -> None:
    def build(stack: Stack) -> None:
        vpc = ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["eu-west-1a"],
            isolated_subnet_ids=["subnet-0123456789abcdef0"],
        )
        Watchbot(stack, "svc", image=image(), cluster=ecs.Cluster(stack, "Mine", vpc=vpc))

    with pytest.raises(
        WatchbotArgumentError, match=r"cluster must be in a VPC with public subnets.*got one in Demo/Vpc"
    ):
        synth(build)


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("visibility_timeout", "visibility_timeout must be Duration.seconds of what is known only at deployment"),
        ("log_retention", "log_retention must be known at synthesis"),
    ],
)
def test_refuses_a_time_of_deployment_that_cannot_be_converted(argument: str, says: str) -> None:
    def build(stack: Stack) -> None:
        minutes = CfnParameter(stack, "Minutes", type="Number").value_as_number
        arguments: dict[str, Any] = {argument: Duration.minutes(minutes)}
        Watchbot(stack, "svc", image=image(), **arguments)

    with pytest.raises(WatchbotArgumentError, match=says):
        synth(build)


def test_refuses_an_unknown_argument() -> None:
    with pytest.raises(TypeError, match="wachers"):
        synth_watchbot(wachers=1)


def test_a_number_known_only_at_deployment_reaches_the_watcher() -> None:
    def build(stack: Stack) -> None:
        count = CfnParameter(stack, "Count", type="Number", default=2)
        Watchbot(stack, "svc", image=image(), workers=count.value_as_number, watchers=count.value_as_number)

    template = synth(build)
    assert template.one("AWS::ECS::Service")["DesiredCount"] == {"Ref": "Count"}
    assert template.environment("watcher")["WATCHBOT_WORKERS"] == {"Ref": "Count"}
    assert placeholders(template.environment("watcher")["WATCHBOT_WORKERS"]) == "<{'Ref': 'Count'}>"


def test_a_watcher_image_of_ones_own_is_used_and_nothing_is_built() -> None:
    template = synth_watchbot(watcher_image=ecs.ContainerImage.from_registry("my/watcher"))
    assert template.container("watcher")["Image"] == "my/watcher"


@pytest.mark.parametrize("memory", [61_440, 122_880, 249_856])
def test_a_task_may_have_the_most_that_fargate_has(memory: int) -> None:
    task = synth_watchbot(cpu=32_768, memory_limit_mib=memory).one("AWS::ECS::TaskDefinition", "WorkerTask")
    assert (task["Cpu"], task["Memory"]) == ("32768", str(memory))


def test_a_job_of_days_is_for_isolation_task() -> None:
    template = synth_watchbot(job_timeout=Duration.days(3))
    assert template.environment("watcher")["WATCHBOT_JOB_TIMEOUT_SECONDS"] == "259200"
