"""Which processor a task runs on, what its images are built for, and how ECS sees that a watcher is alive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs

from tests.synth.template import Template, image
from watchbot_cdk import Isolation, Watchbot

ARM64 = ecs.RuntimePlatform(
    cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
)
PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["work"]}


def _synth(*services: dict[str, Any]) -> tuple[Template, list[str]]:
    """Give the template of these services in one stack, and the platforms its images are built for."""
    app = App()
    stack = Stack(app, "Demo")
    for number, arguments in enumerate(services):
        Watchbot(stack, f"svc{number}", **{"image": image(), **arguments})
    assembly = app.synth()
    manifest = json.loads(Path(assembly.directory, "Demo.assets.json").read_text())
    platforms = [asset["source"]["platform"] for asset in manifest["dockerImages"].values()]
    return Template(assembly.get_stack_by_name("Demo").template), sorted(platforms)


@pytest.mark.parametrize("arguments", [{}, PROCESS])
def test_on_arm64_every_task_and_our_image_are_arm64(arguments: dict[str, Any]) -> None:
    template, platforms = _synth({"runtime_platform": ARM64, **arguments})
    for definition in template.of_type("AWS::ECS::TaskDefinition").values():
        assert definition["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    assert platforms == ["linux/arm64"]


def test_our_image_is_built_once_for_each_processor_in_use() -> None:
    _, platforms = _synth({}, PROCESS, {"runtime_platform": ARM64}, {"runtime_platform": ARM64, **PROCESS})
    assert platforms == ["linux/amd64", "linux/arm64"]


@pytest.mark.parametrize(
    ("arguments", "container", "runtime"),
    [({}, "watcher", "/usr/lib/watchbot"), (PROCESS, "worker", "/opt/watchbot")],
)
def test_a_watcher_that_hangs_is_replaced_without_using_anything_of_the_image(
    arguments: dict[str, Any], container: str, runtime: str
) -> None:
    template, _ = _synth(arguments)
    assert template.container(container)["HealthCheck"] == {
        "Command": ["CMD", f"{runtime}/bin/busybox", "sh", f"{runtime}/healthy", "/var/watchbot/health"],
        "Interval": 60,
        "Timeout": 60,
        "Retries": 5,
        "StartPeriod": 300,
    }


def test_a_watcher_with_a_read_only_root_can_write_its_health_file() -> None:
    template, _ = _synth({})
    (mount,) = template.container("watcher")["MountPoints"]
    assert mount == {"ContainerPath": "/var/watchbot", "ReadOnly": False, "SourceVolume": "watchbot-scratch"}
