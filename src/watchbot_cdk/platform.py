"""The processors that tasks can run on."""

from __future__ import annotations

from typing import cast

from aws_cdk import Stack
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs

from watchbot_cdk.remembered import remembered

_ARM64 = "ARM64"
_ARCHITECTURES = ("X86_64", _ARM64)
_LINUX = "LINUX"


def platform_problem(platform: ecs.RuntimePlatform | None) -> str | None:
    """Say what is wrong with a ``runtime_platform``; the watcher runs on Linux, on the two processors of ECS.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
    """
    architecture, system = platform_names(platform)
    if architecture in _ARCHITECTURES and system == _LINUX:
        return None
    return f"runtime_platform must be LINUX on {' or '.join(_ARCHITECTURES)}, got {system} on {architecture}"


def image_platform(platform: ecs.RuntimePlatform | None) -> ecr_assets.Platform:
    """Give the platform that an image has to be built for to run there."""
    architecture, _ = platform_names(platform)
    return _image_platform(architecture)


@remembered
def _image_platform(architecture: str) -> ecr_assets.Platform:
    return ecr_assets.Platform.LINUX_ARM64 if architecture == _ARM64 else ecr_assets.Platform.LINUX_AMD64


def platform_names(platform: ecs.RuntimePlatform | None) -> tuple[str, str]:
    """Give what ECS calls the processor and the system; the classes of the CDK tell it only to a template."""
    if platform is None:
        return _ARCHITECTURES[0], _LINUX
    # A size that ECS offers for every one of them.
    task = ecs.FargateTaskDefinition(Stack(), "Task", cpu=1024, memory_limit_mib=2048, runtime_platform=platform)
    rendered = cast(ecs.CfnTaskDefinition, task.node.default_child).runtime_platform
    names = cast(ecs.CfnTaskDefinition.RuntimePlatformProperty, rendered)
    return names.cpu_architecture or _ARCHITECTURES[0], names.operating_system_family or _LINUX
