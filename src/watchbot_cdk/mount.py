"""What a worker finds in its file system beside its image."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import IDependable

from watchbot.contract import RUNTIME_DIRECTORY, SCRATCH_DIRECTORY, Isolation
from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.problems import kind_problems

if TYPE_CHECKING:
    from aws_cdk import aws_efs as efs

_OURS = (RUNTIME_DIRECTORY, SCRATCH_DIRECTORY)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mount:
    """A volume in the worker's container; made by one of the methods below.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_data_volumes.html
    """

    container_path: str
    read_only: bool = False
    host_path: str | None = None
    file_system: efs.IFileSystem | None = None
    access_point: efs.IAccessPoint | None = None

    @classmethod
    def host(cls, host_path: str, container_path: str, *, read_only: bool = False) -> Mount:
        """Give the worker a directory of the EC2 instance it runs on; Fargate has none.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html
        """
        return cls(container_path=container_path, read_only=read_only, host_path=host_path)

    @classmethod
    def ephemeral(cls, container_path: str) -> Mount:
        """Give the worker an empty directory that lives as long as its task, also beside a read-only root.

        It belongs to root, unless the image declares a VOLUME of this path, whose owner and mode it then has. With
        Isolation.PROCESS all jobs of a task share it, and nobody empties it; each has a ``TMPDIR`` of its own.
        """
        return cls(container_path=container_path)

    @classmethod
    def efs(
        cls,
        file_system: efs.IFileSystem,
        container_path: str,
        *,
        access_point: efs.IAccessPoint | None = None,
        read_only: bool = False,
    ) -> Mount:
        """Give the worker an EFS file system, or what an access point shows of it, encrypted in transit.

        The task's role is allowed to mount it, and to write unless ``read_only``, and the file system's security
        groups to let the tasks in. Writing as root takes an access point, or ``file_system.grant_root_access(…)``.

        https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
        """
        return cls(
            container_path=container_path, read_only=read_only, file_system=file_system, access_point=access_point
        )


def mount_kinds(mount: Mount) -> Iterable[str]:
    """Say which fields of a mount are of another kind."""
    yield from kind_problems("mounts container_path", mount.container_path, str)
    yield from kind_problems("mounts host_path", mount.host_path, str, optional=True)
    yield from kind_problems("mounts read_only", mount.read_only, bool)
    if mount.file_system is not None and not hasattr(mount.file_system, "file_system_id"):
        yield f"mounts file_system must be an EFS FileSystem, got {mount.file_system!r}"
    if mount.access_point is not None and not hasattr(mount.access_point, "access_point_id"):
        yield f"mounts access_point must be an EFS AccessPoint or None, got {mount.access_point!r}"


def mount_problems(mounts: Sequence[Mount], isolation: Isolation, *, is_ec2: bool) -> Iterable[str]:
    """Say what is wrong with mounts of the right kinds."""
    paths = [mount.container_path for mount in mounts]
    if len({_plain(path) for path in paths}) < len(paths):
        yield f"mounts must have a container_path each, got {', '.join(paths)}"
    for mount in mounts:
        yield from _path_problems("container_path", mount.container_path)
        if isolation is Isolation.PROCESS and any(_overlap(mount.container_path, ours) for ours in _OURS):
            yield (
                f"mounts container_path must be clear of {' and '.join(_OURS)} with Isolation.PROCESS, where the "
                f"watcher is, got {mount.container_path!r}"
            )
        if mount.host_path is not None:
            yield from _path_problems("host_path", mount.host_path)
            if not is_ec2:
                yield f"mounts of the host are for EC2 capacity, got {mount.host_path!r}: Fargate has no host to share"


def add_mounts(definition: ecs.TaskDefinition, container: ecs.ContainerDefinition, mounts: Sequence[Mount]) -> None:
    """Add a volume for each to the task, and mount it; the task's role may mount file systems, and nothing else."""
    for number, mount in enumerate(mounts):
        name = f"mount-{number}"
        definition.add_volume(
            name=name,
            host=None if mount.host_path is None else ecs.Host(source_path=mount.host_path),
            efs_volume_configuration=_efs_volume(mount),
        )
        container.add_mount_points(
            ecs.MountPoint(source_volume=name, container_path=mount.container_path, read_only=mount.read_only)
        )
        if mount.file_system is not None:
            definition.add_to_task_role_policy(_mounting(mount, mount.file_system))


def is_mounted(path: str, mounts: Sequence[Mount]) -> bool:
    """Whether one of the mounts is at this path."""
    return any(_plain(mount.container_path) == path for mount in mounts)


def connect_file_systems(mounts: Sequence[Mount], tasks: ec2.Connections) -> list[IDependable]:
    """Have file systems let the tasks in; gives what has to be there before a task can mount them."""
    needs: list[IDependable] = []
    for mount in mounts:
        if mount.file_system is not None:
            # From our side, so that a rule for a file system of another stack is in this one: no circle of stacks.
            tasks.allow_to_default_port(mount.file_system)
            groups = [*mount.file_system.connections.security_groups, *tasks.security_groups]
            needs += [mount.file_system.mount_targets_available, *groups]
    return needs


def _efs_volume(mount: Mount) -> ecs.EfsVolumeConfiguration | None:
    """Describe the volume; IAM and access points need encryption in transit.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EFSAuthorizationConfig.html
    """
    if mount.file_system is None:
        return None
    point = mount.access_point
    return ecs.EfsVolumeConfiguration(
        file_system_id=mount.file_system.file_system_id,
        transit_encryption="ENABLED",
        authorization_config=ecs.AuthorizationConfig(
            access_point_id=None if point is None else point.access_point_id, iam="ENABLED"
        ),
    )


def _mounting(mount: Mount, file_system: efs.IFileSystem) -> iam.PolicyStatement:
    actions = ["elasticfilesystem:ClientMount"]
    if not mount.read_only:
        actions.append("elasticfilesystem:ClientWrite")
    point = mount.access_point
    through = None if point is None else {"StringEquals": {"elasticfilesystem:AccessPointArn": point.access_point_arn}}
    return iam.PolicyStatement(actions=actions, resources=[file_system.file_system_arn], conditions=through)


def _path_problems(field: str, path: str) -> Iterable[str]:
    if not is_deploy_time(path) and not (path.startswith("/") and _plain(path) != "/"):
        yield f"mounts {field} must be an absolute path below /, got {path!r}"


def _overlap(path: str, other: str) -> bool:
    one, two = f"{_plain(path).rstrip('/')}/", f"{other}/"
    return one.startswith(two) or two.startswith(one)


def _plain(path: str) -> str:
    """Give an absolute path as the container's system takes it: without ``..`` and repeated slashes."""
    normal = posixpath.normpath(path)
    # Two slashes at the beginning may be special to POSIX, and are not to Linux.
    return normal.removeprefix("/") if normal.startswith("//") else normal
