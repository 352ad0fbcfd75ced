"""What a worker's container is like: its devices, its memory, its limits, its end."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_ecs as ecs

from tests.synth.template import Template, image, synth, synth_in_cluster, synth_watchbot, watcher_settings
from watchbot.contract import Isolation
from watchbot_cdk import Capacity, ExitCodes, Mount, Watchbot, WatchbotArgumentError

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["true"]}
EC2: dict[str, Any] = {"capacity": Capacity.ec2(), "cpu": 300, "memory_limit_mib": 3000}
ARM64 = ecs.RuntimePlatform(
    cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
)
ISOLATIONS = pytest.mark.parametrize("isolation", [{}, PROCESS], ids=["task", "process"])


def _ulimit(name: ecs.UlimitName, soft: float, hard: float) -> ecs.Ulimit:
    return ecs.Ulimit(name=name, soft_limit=soft, hard_limit=hard)


def _workers_task(template: Template) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [
        task
        for task in template.of_type("AWS::ECS::TaskDefinition").values()
        if any(container["Name"] == "worker" for container in task["ContainerDefinitions"])
    ]
    return found


@ISOLATIONS
def test_on_ec2_a_worker_may_have_gpus_privileges_limits_and_reserve_less_than_its_limit(
    isolation: dict[str, Any],
) -> None:
    template = synth_in_cluster(
        {
            **EC2,
            **isolation,
            "gpu_count": 2,
            "memory_reservation_mib": 1000,
            "privileged": True,
            "readonly_root_filesystem": True,
            "ulimits": [_ulimit(ecs.UlimitName.MEMLOCK, -1, -1)],
            "family": "renderers",
            "runtime_platform": ARM64,
            "drain": Duration.minutes(10),
        }
    )
    task, worker = _workers_task(template), template.container("worker")
    assert worker["ResourceRequirements"] == [{"Type": "GPU", "Value": "2"}]
    assert (worker["Memory"], worker["MemoryReservation"]) == (3000, 1000)
    assert worker["Privileged"] is worker["ReadonlyRootFilesystem"] is True
    assert [limit["Name"] for limit in worker["Ulimits"]] == ["memlock", "nofile"]
    assert "Memory" not in task
    assert task["Family"] == "renderers"
    assert task["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    settings = watcher_settings(template, "worker" if isolation else "watcher")
    # A watcher in the worker's container needs some seconds of its own after the drain.
    assert (worker["StopTimeout"], settings.drain_seconds) == ((615, 600) if isolation else (600, 105))
    others = [
        container
        for one in template.of_type("AWS::ECS::TaskDefinition").values()
        for container in one["ContainerDefinitions"]
        if container["Name"] != "worker"
    ]
    assert others
    for other in others:
        assert not {"ResourceRequirements", "Privileged", "Ulimits"} & other.keys()
        assert other["ReadonlyRootFilesystem"] is True


@ISOLATIONS
def test_on_fargate_a_worker_may_have_a_larger_disk_more_open_files_and_a_read_only_root(
    isolation: dict[str, Any],
) -> None:
    template = synth_watchbot(
        **isolation,
        ephemeral_storage_gib=200,
        readonly_root_filesystem=True,
        ulimits=[_ulimit(ecs.UlimitName.NOFILE, 1000, 2000)],
        drain=Duration.seconds(30),
    )
    task, worker = _workers_task(template), template.container("worker")
    assert task["EphemeralStorage"] == {"SizeInGiB": 200}
    assert worker["ReadonlyRootFilesystem"] is True
    assert worker["Ulimits"] == [{"Name": "nofile", "SoftLimit": 1000, "HardLimit": 2000}]
    settings = watcher_settings(template, "worker" if isolation else "watcher")
    assert (worker["StopTimeout"], settings.drain_seconds) == ((45, 30) if isolation else (30, 105))
    if isolation:
        scratch = {mount["ContainerPath"]: mount["ReadOnly"] for mount in worker["MountPoints"]}
        assert scratch["/var/watchbot"] is False
    else:
        assert template.container("watcher")["StopTimeout"] == 120


def _tmp(template: Template) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = template.container("worker")["LinuxParameters"].get("Tmpfs", [])
    return found


def test_a_worker_with_a_read_only_root_and_a_task_of_its_own_can_write_to_tmp() -> None:
    on_fargate = synth_watchbot(readonly_root_filesystem=True, memory_limit_mib=1024)
    assert _tmp(on_fargate) == [{"ContainerPath": "/tmp", "Size": 1024, "MountOptions": ["exec"]}]
    assert on_fargate.container("worker")["LinuxParameters"]["InitProcessEnabled"] is True
    assert "Tmpfs" not in on_fargate.container("watcher")["LinuxParameters"]
    assert _tmp(synth_in_cluster({**EC2, "readonly_root_filesystem": True}))[0]["Size"] == 3000
    # The root of the others can be written to, and jobs with processes of their own have a TMPDIR.
    assert _tmp(synth_watchbot()) == _tmp(synth_watchbot(readonly_root_filesystem=True, **PROCESS)) == []


@pytest.mark.parametrize("path", ["/tmp", "/tmp/", "//tmp", "/var/../tmp"])
def test_a_mount_at_tmp_is_the_workers_tmp(path: str) -> None:
    template = synth_watchbot(readonly_root_filesystem=True, mounts=[Mount.ephemeral(path)])
    assert _tmp(template) == []
    (mount,) = template.container("worker")["MountPoints"]
    assert (mount["ContainerPath"], mount["ReadOnly"]) == (path, False)


def test_a_tmp_is_as_large_as_memory_that_is_known_only_at_deployment() -> None:
    def build(stack: Stack) -> None:
        memory = CfnParameter(stack, "Memory", type="Number").value_as_number
        Watchbot(stack, "svc", image=image(), readonly_root_filesystem=True, memory_limit_mib=memory)

    assert _tmp(synth(build))[0]["Size"] == {"Ref": "Memory"}


def test_open_files_asked_for_on_ec2_are_what_a_worker_gets() -> None:
    template = synth_in_cluster({**EC2, "ulimits": [_ulimit(ecs.UlimitName.NOFILE, 10, 20)]})
    assert template.container("worker")["Ulimits"] == [{"Name": "nofile", "SoftLimit": 10, "HardLimit": 20}]


@ISOLATIONS
def test_the_watcher_knows_which_exit_codes_mean_what(isolation: dict[str, Any]) -> None:
    template = synth_watchbot(exit_codes=ExitCodes(reject=99, noop=None), **isolation)
    settings = watcher_settings(template, "worker" if isolation else "watcher")
    assert settings.exit_codes == (("rejected", 99), ("dead_lettered", 5))


@pytest.mark.parametrize("reserved", ["Reserved", 424])
def test_a_limit_known_only_at_deployment_may_stand_beside_any_reservation(reserved: str | int) -> None:
    def arguments(stack: Stack, vpc: object) -> dict[str, Any]:
        numbers = {name: CfnParameter(stack, name, type="Number").value_as_number for name in ("Reserved", "Limit")}
        reservation = numbers[reserved] if isinstance(reserved, str) else reserved
        return {**EC2, "memory_limit_mib": numbers["Limit"], "memory_reservation_mib": reservation}

    worker = synth_in_cluster(arguments).container("worker")
    expected = {"Ref": reserved} if isinstance(reserved, str) else reserved
    assert (worker["Memory"], worker["MemoryReservation"]) == ({"Ref": "Limit"}, expected)


def test_sizes_and_codes_known_only_at_deployment_are_taken() -> None:
    def arguments(stack: Stack, vpc: object) -> dict[str, Any]:
        number = CfnParameter(stack, "Number", type="Number").value_as_number
        family = CfnParameter(stack, "Family").value_as_string
        codes = ExitCodes(reject=number, noop=None, dead_letter=None)
        return {**EC2, "memory_reservation_mib": number, "family": family, "exit_codes": codes}

    template = synth_in_cluster(arguments)
    assert template.container("worker")["MemoryReservation"] == {"Ref": "Number"}
    assert _workers_task(template)["Family"] == {"Ref": "Family"}
    assert "'Ref': 'Number'" in str(template.environment("watcher")["WATCHBOT_EXIT_CODES"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"gpu_count": 1}, "gpu_count is for EC2 capacity, got 1: Fargate has no GPUs"),
        ({"privileged": True}, "privileged is for EC2 capacity, got True"),
        ({"privileged": "yes"}, "privileged must be a bool, got 'yes'"),
        ({"readonly_root_filesystem": 1}, "readonly_root_filesystem must be a bool, got 1"),
        ({"memory_reservation_mib": 256}, "memory_reservation_mib is for EC2 capacity, got 256: on Fargate"),
        (
            {"ephemeral_storage_gib": 20},
            "ephemeral_storage_gib must be a whole number from 21 to 200, got 20",
        ),
        ({"ephemeral_storage_gib": 201}, "ephemeral_storage_gib must be a whole number from 21 to 200, got 201"),
        ({"family": "a b"}, "family must be 1 to 255 letters, digits, - and _, got 'a b'"),
        ({"ulimits": [1024]}, "ulimits must be a list of Ulimit, got [1024]"),
        (
            {"ulimits": [_ulimit(ecs.UlimitName.CORE, 0, 0)]},
            "ulimits must be of nofile on Fargate, which sets all others itself, got core",
        ),
        (
            {"ulimits": [_ulimit(ecs.UlimitName.NOFILE, 20, 10)]},
            "ulimits soft_limit of nofile must be at most its hard_limit 10, got 20",
        ),
        (
            {"ulimits": [_ulimit(ecs.UlimitName.NOFILE, 1, 1), _ulimit(ecs.UlimitName.NOFILE, 2, 2)]},
            "ulimits must name each limit once, got nofile, nofile",
        ),
        (
            {"ulimits": [_ulimit(ecs.UlimitName.NOFILE, 1.5, 10)]},
            "ulimits soft_limit of nofile must be a whole number from -1 to 2147483647, got 1.5",
        ),
        (
            {"ulimits": [_ulimit(ecs.UlimitName.NOFILE, 1, -5)]},
            "ulimits hard_limit of nofile must be a whole number from -1 to 2147483647, got -5",
        ),
        (
            {"exit_codes": ExitCodes(reject=[3])},  # type: ignore[arg-type]  # what a user may write
            "exit_codes reject must be a whole number from 1 to 255, got [3]",
        ),
        ({"exit_codes": {3: "reject"}}, "exit_codes must be a ExitCodes, got {3: 'reject'}"),
        ({"exit_codes": ExitCodes(reject=0)}, "exit_codes reject must be a whole number from 1 to 255, got 0"),
        ({"exit_codes": ExitCodes(noop=256)}, "exit_codes noop must be a whole number from 1 to 255, got 256"),
        (
            {"exit_codes": ExitCodes(noop=3)},
            "exit_codes must be different codes, got reject 3, noop 3, dead_letter 5",
        ),
        ({"drain": 60}, "drain must be a Duration or None, got 60"),
        ({"drain": Duration.seconds(121)}, "drain must be 2 to 120 whole seconds with Isolation.TASK on Fargate"),
        ({"drain": Duration.seconds(1)}, "drain must be 2 to 120 whole seconds with Isolation.TASK on Fargate, got 1"),
        (
            {"drain": Duration.seconds(106), **PROCESS},
            "drain must be 0 to 105 whole seconds with Isolation.PROCESS on Fargate, got 106",
        ),
        ({"drain": Duration.millis(1500), **PROCESS}, "drain must be 0 to 105 whole seconds"),
    ],
)
def test_refuses_what_fargate_cannot_do_or_no_one_can(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        synth_watchbot(**arguments)
    assert says in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"ephemeral_storage_gib": 100}, "ephemeral_storage_gib is for Fargate, got 100: on EC2"),
        ({"gpu_count": 0}, "gpu_count must be a whole number from 1 to 16, got 0"),
        (
            {"memory_reservation_mib": 3000},
            "memory_reservation_mib must be less than memory_limit_mib 3000, got 3000",
        ),
        (
            {"memory_reservation_mib": "64"},
            "memory_reservation_mib must be a whole number from 6 to 33554432, got '64'",
        ),
        ({"memory_limit_mib": "512", "memory_reservation_mib": 64}, "memory_limit_mib must be a whole number from"),
        ({"drain": Duration.hours(13), **PROCESS}, "drain must be 0 to 43185 whole seconds with Isolation.PROCESS on"),
    ],
)
def test_refuses_what_instances_cannot_do(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        synth_in_cluster({**EC2, **arguments})
    assert says in str(caught.value)
    assert len(caught.value.problems) == 1


def test_refuses_a_number_of_gpus_known_only_at_deployment() -> None:
    def arguments(stack: Stack, vpc: object) -> dict[str, Any]:
        return {**EC2, "gpu_count": CfnParameter(stack, "Gpus", type="Number").value_as_number}

    with pytest.raises(WatchbotArgumentError, match="gpu_count must be known at synthesis"):
        synth_in_cluster(arguments)


def test_refuses_a_drain_known_only_at_deployment() -> None:
    def build(stack: Stack) -> None:
        seconds = CfnParameter(stack, "Seconds", type="Number").value_as_number
        Watchbot(stack, "svc", image=image(), drain=Duration.seconds(seconds))

    with pytest.raises(WatchbotArgumentError, match="drain must be known at synthesis"):
        synth(build)
