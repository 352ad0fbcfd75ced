"""What a Watchbot was asked for, checked before anything is created."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from watchbot.contract import Isolation, LogFormat, is_reserved
from watchbot_cdk.backoff import Backoff
from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.fargate_size import fargate_size_problem
from watchbot_cdk.log_retention import retention_days_problem
from watchbot_cdk.platform import platform_problem

_LONGEST_PROCESS_JOB = Duration.minutes(11 * 60 + 50)


class WatchbotArgumentError(ValueError):
    """One or more arguments cannot be; carries every problem, not only the first."""

    def __init__(self, path: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"Watchbot {path}: " + "; ".join(problems))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arguments:
    """The arguments of one Watchbot, defaults filled in."""

    image: ecs.ContainerImage
    command: Sequence[str] | None
    isolation: Isolation
    environment: Mapping[str, str]
    secrets: Mapping[str, ecs.Secret]
    permissions: Sequence[iam.PolicyStatement]
    cpu: float
    memory_limit_mib: float
    runtime_platform: ecs.RuntimePlatform | None
    cluster: ecs.ICluster | None
    watchers: float
    workers: float
    fifo: bool
    max_receive_count: float
    visibility_timeout: Duration
    retention_period: Duration
    backoff: Backoff
    payload_bucket: s3.IBucket | None
    job_timeout: Duration | None
    log_retention: Duration
    log_format: LogFormat
    watcher_image: ecs.ContainerImage | None

    def check(self, path: str) -> None:
        """Raise :class:`WatchbotArgumentError` with everything that cannot be."""
        problems = [*self._kinds(), *self._collections()]
        if not problems:
            problems = [
                *self._command(),
                *self._variables(),
                *self._numbers(),
                *self._times(),
                *self._sizes(),
                *self._platform(),
                *self._subnets(),
            ]
        if problems:
            raise WatchbotArgumentError(path, problems)

    def _kinds(self) -> Iterable[str]:
        yield from _kind("image", self.image, ecs.ContainerImage)
        yield from _kind("isolation", self.isolation, Isolation)
        yield from _kind("log_format", self.log_format, LogFormat)
        yield from _kind("backoff", self.backoff, Backoff)
        if isinstance(self.backoff, Backoff):
            yield from _kind("backoff cap", self.backoff.cap, Duration, optional=True)
        yield from _kind("fifo", self.fifo, bool)
        yield from _kind("visibility_timeout", self.visibility_timeout, Duration)
        yield from _kind("retention_period", self.retention_period, Duration)
        yield from _kind("log_retention", self.log_retention, Duration)
        yield from _kind("job_timeout", self.job_timeout, Duration, optional=True)
        yield from _kind("runtime_platform", self.runtime_platform, ecs.RuntimePlatform, optional=True)
        yield from _kind("watcher_image", self.watcher_image, ecs.ContainerImage, optional=True)
        if self.cluster is not None and not hasattr(self.cluster, "cluster_arn"):
            yield f"cluster must be a Cluster or None, got {self.cluster!r}"
        if self.payload_bucket is not None and not hasattr(self.payload_bucket, "bucket_arn"):
            yield f"payload_bucket must be a Bucket or None, got {self.payload_bucket!r}"

    def _collections(self) -> Iterable[str]:
        # jsii would refuse these only half-way, and without the argument's name.
        command: object = self.command
        if isinstance(command, str):
            yield f"command must be a list of arguments, no shell line, got {command!r}"
        elif command is not None and not _list_of(str, command):
            yield f"command must be a list of strings, got {command!r}"
        if not _list_of(iam.PolicyStatement, self.permissions):
            yield f"permissions must be a list of PolicyStatement, got {self.permissions!r}"
        if not _map_to(str, self.environment):
            yield f"environment must map names to strings, got {_shown(self.environment)}"
        if not _map_to(ecs.Secret, self.secrets):
            yield f"secrets must map names to ecs.Secret, got {_shown(self.secrets)}"

    def _command(self) -> Iterable[str]:
        if self.command is not None and not any(self.command[:1]):
            yield f"command must name a program, got {list(self.command)!r}"
        if self.command is None and self.isolation is Isolation.PROCESS:
            yield (
                "command is required with Isolation.PROCESS, got None: the whole argv of the worker, "
                "because the image's ENTRYPOINT does not run there"
            )

    def _variables(self) -> Iterable[str]:
        for argument, names in (("environment", self.environment), ("secrets", self.secrets)):
            for name in names:
                if is_reserved(name):
                    yield f"{argument} cannot set {name}: Watchbot sets it for every worker"
                elif not name or "=" in name:
                    yield f"{argument} has {name!r}, which is no name of an environment variable"
        for name in sorted(set(self.environment) & set(self.secrets)):
            yield f"{name} is in both environment and secrets; one of them has to go"

    def _numbers(self) -> Iterable[str]:
        yield from _whole("watchers", self.watchers, 0, 5000)
        yield from _whole("workers", self.workers, 1, 1000)
        yield from _whole("max_receive_count", self.max_receive_count, 1, 1000)
        yield from _between("backoff base", self.backoff.base, 1, 60)
        yield from _between("backoff jitter", self.backoff.jitter, 0, 1)

    def _times(self) -> Iterable[str]:
        yield from _span("visibility_timeout", self.visibility_timeout, Duration.seconds(3), Duration.hours(12))
        yield from _span("retention_period", self.retention_period, Duration.minutes(1), Duration.days(14))
        if self.backoff.cap is not None:
            yield from _span("backoff cap", self.backoff.cap, Duration.seconds(0), Duration.hours(12))
        if self.job_timeout is not None:
            yield from self._job_timeout(self.job_timeout)
        problem = retention_days_problem(self.log_retention)
        if problem is not None:
            yield problem

    def _subnets(self) -> Iterable[str]:
        if self.cluster is None:
            return
        vpc = self.cluster.vpc
        if not vpc.private_subnets and not vpc.public_subnets:
            yield (
                "cluster must be in a VPC with public subnets, or private ones with egress, "
                f"got one in {vpc.node.path}, from where no task can reach AWS"
            )

    def _job_timeout(self, timeout: Duration) -> Iterable[str]:
        yield from _span("job_timeout", timeout, Duration.seconds(1), Duration.days(14))
        if timeout.is_unresolved():
            return
        if self.isolation is Isolation.PROCESS and _seconds(timeout) > _seconds(_LONGEST_PROCESS_JOB):
            yield (
                f"job_timeout must be at most 11 h 50 min with Isolation.PROCESS, got {_seconds(timeout):.12g} s: SQS "
                "takes a message back 12 hours after its receive; Isolation.TASK has no such limit"
            )
        if not self.retention_period.is_unresolved() and _seconds(timeout) >= _seconds(self.retention_period):
            yield (
                f"job_timeout ({_seconds(timeout):.12g} s) must be shorter than retention_period "
                f"({_seconds(self.retention_period):.12g} s): SQS deletes a message of that age even while its job runs"
            )

    def _sizes(self) -> Iterable[str]:
        problem = fargate_size_problem(self.cpu, self.memory_limit_mib)
        if problem is not None:
            yield problem

    def _platform(self) -> Iterable[str]:
        problem = platform_problem(self.runtime_platform)
        if problem is not None:
            yield problem


def _kind(name: str, value: object, kind: type, *, optional: bool = False) -> Iterable[str]:
    if isinstance(value, kind) or (optional and value is None):
        return
    yield f"{name} must be a {kind.__name__}{' or None' if optional else ''}, got {value!r}"


def _list_of(kind: type, value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(part, kind) for part in value)


def _map_to(kind: type, value: object) -> bool:
    return isinstance(value, Mapping) and _list_of(str, [*value]) and _list_of(kind, [*value.values()])


def _shown(variables: object) -> str:
    """Show names and kinds alone: a value may be a secret somebody wrote in the wrong place."""
    if not isinstance(variables, Mapping):
        return f"a {type(variables).__name__}"
    return "{" + ", ".join(f"{name!r}: {type(value).__name__}" for name, value in variables.items()) + "}"


def _seconds(duration: Duration) -> float:
    return duration.to_milliseconds() / 1000


def _whole(name: str, value: float, lowest: int, highest: int) -> Iterable[str]:
    if is_deploy_time(value):
        return
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        yield f"{name} must be a whole number from {lowest} to {highest}, got {value!r}"


def _between(name: str, value: float, lowest: float, highest: float) -> Iterable[str]:
    if is_deploy_time(value):
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        yield f"{name} must be a number from {lowest:g} to {highest:g}, got {value!r}"


def _span(name: str, value: Duration, shortest: Duration, longest: Duration) -> Iterable[str]:
    if value.is_unresolved():
        if value.unit_label() != "seconds":
            yield f"{name} must be Duration.seconds of what is known only at deployment, got {value.unit_label()}"
        return
    low, high = _seconds(shortest), _seconds(longest)
    if not low <= _seconds(value) <= high:
        yield f"{name} must be {low:.12g} to {high:.12g} seconds, got {_seconds(value):.12g}"
    elif _seconds(value) != int(_seconds(value)):
        yield f"{name} must be whole seconds, got {_seconds(value):.12g}"
