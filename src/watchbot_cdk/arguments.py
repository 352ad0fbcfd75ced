"""What a Watchbot was asked for, checked before anything is created."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from watchbot.contract import Isolation, LogFormat
from watchbot_cdk.aws_connection import AwsConnection
from watchbot_cdk.backoff import Backoff
from watchbot_cdk.ec2_size import ec2_size_problems
from watchbot_cdk.encryption import encryption_key_problem
from watchbot_cdk.fargate_size import fargate_size_problem
from watchbot_cdk.log_options import LogOptions
from watchbot_cdk.log_retention import retention_days_problem
from watchbot_cdk.monitoring import Monitoring
from watchbot_cdk.notifications import Notifications
from watchbot_cdk.placement import Placement
from watchbot_cdk.platform import platform_problem
from watchbot_cdk.problems import (
    between_problems,
    in_seconds,
    is_list_of,
    is_map_to,
    is_token,
    kind_problems,
    shown,
    span_problems,
    whole_problems,
)
from watchbot_cdk.reduce_mode import ReduceMode, reduce_kinds
from watchbot_cdk.scaling import MOST_WATCHERS, Scaling
from watchbot_cdk.stacks import region_of, stack_of
from watchbot_cdk.variables import variable_problems
from watchbot_cdk.watcher_image import WatcherImage
from watchbot_cdk.webhook import Ingress
from watchbot_cdk.worker_options import WorkerOptions

_HALF_DAY_SECONDS = 12 * 3600
_LONGEST_PROCESS_JOB_SECONDS = _HALF_DAY_SECONDS - 600
_LONGEST_RETENTION_SECONDS = 14 * 86_400


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
    worker: WorkerOptions
    placement: Placement
    watchers: float | Scaling
    workers: float
    fifo: bool
    max_receive_count: float
    visibility_timeout: Duration
    retention_period: Duration
    backoff: Backoff
    encryption_key: kms.IKey | None
    payload_bucket: s3.IBucket | None
    delete_payloads: bool
    ingress: Ingress
    job_timeout: Duration | None
    start_timeout: Duration | None
    notifications: Notifications
    monitoring: Monitoring
    log_retention: Duration
    log_format: LogFormat
    log: LogOptions
    reduce: bool | ReduceMode
    aws_connection: AwsConnection
    watcher_image: ecs.ContainerImage | WatcherImage | None
    progress_table: dynamodb.ITable | None = None

    def check(self, scope: Construct, construct_id: str) -> None:
        """Raise :class:`WatchbotArgumentError` with everything that cannot be, of a service to be created there."""
        groups = (self.worker, self.placement, self.notifications, self.monitoring, self.log, self.ingress)
        problems = [*self._kinds(), *self._collections(), *itertools.chain(*(group.kinds() for group in groups))]
        if not problems:
            problems = [
                *self._command(),
                *variable_problems(self.environment, self.secrets),
                *self._permissions(),
                *self._numbers(),
                *self._times(),
                *self._sizes(),
                *self._platform(),
                *self._payloads(),
                *self.worker.problems(self.isolation, self.memory_limit_mib, is_ec2=self.placement.capacity.is_ec2),
                *self.placement.problems(self.isolation),
                *self.notifications.problems(scope, has_alarms=self.monitoring.has_alarms),
                *self.monitoring.problems(),
                *self.log.problems(self.isolation),
                *self.ingress.problems(),
                *self.aws_connection.problems(region_of(stack_of(scope))),
            ]
        if problems:
            raise WatchbotArgumentError(f"{scope.node.path}/{construct_id}", problems)

    def _kinds(self) -> Iterable[str]:
        yield from kind_problems("image", self.image, ecs.ContainerImage)
        yield from kind_problems("isolation", self.isolation, Isolation)
        yield from kind_problems("log_format", self.log_format, LogFormat)
        yield from kind_problems("backoff", self.backoff, Backoff)
        if isinstance(self.backoff, Backoff):
            yield from kind_problems("backoff cap", self.backoff.cap, Duration, optional=True)
        if isinstance(self.watchers, Scaling):
            yield from self.watchers.kinds()
        yield from kind_problems("aws_connection", self.aws_connection, AwsConnection)
        if isinstance(self.aws_connection, AwsConnection):
            yield from self.aws_connection.kinds()
        yield from kind_problems("fifo", self.fifo, bool)
        yield from kind_problems("visibility_timeout", self.visibility_timeout, Duration)
        yield from kind_problems("retention_period", self.retention_period, Duration)
        yield from kind_problems("log_retention", self.log_retention, Duration)
        yield from kind_problems("job_timeout", self.job_timeout, Duration, optional=True)
        yield from kind_problems("start_timeout", self.start_timeout, Duration, optional=True)
        yield from kind_problems("runtime_platform", self.runtime_platform, ecs.RuntimePlatform, optional=True)
        if isinstance(self.watcher_image, WatcherImage):
            yield from self.watcher_image.problems()
        else:
            yield from kind_problems("watcher_image", self.watcher_image, ecs.ContainerImage, optional=True)
        if self.payload_bucket is not None and not hasattr(self.payload_bucket, "bucket_arn"):
            yield f"payload_bucket must be a Bucket or None, got {self.payload_bucket!r}"
        yield from kind_problems("delete_payloads", self.delete_payloads, bool)
        yield from reduce_kinds(self.reduce)
        problem = encryption_key_problem(self.encryption_key)
        if problem is not None:
            yield problem

    def _collections(self) -> Iterable[str]:
        # jsii would refuse these only half-way, and without the argument's name.
        command: object = self.command
        if isinstance(command, str):
            yield f"command must be a list of arguments, no shell line, got {command!r}"
        elif command is not None and not is_list_of(str, command):
            yield f"command must be a list of strings, got {command!r}"
        if not is_list_of(iam.PolicyStatement, self.permissions):
            yield f"permissions must be a list of PolicyStatement, got {self.permissions!r}"
        if not is_map_to(str, self.environment):
            yield f"environment must map names to strings, got {shown(self.environment)}"
        if not is_map_to(ecs.Secret, self.secrets):
            yield f"secrets must map names to ecs.Secret, got {shown(self.secrets)}"

    def _command(self) -> Iterable[str]:
        if self.command is not None and not any(self.command[:1]):
            yield f"command must name a program, got {list(self.command)!r}"
        if self.command is None and self.isolation is Isolation.PROCESS:
            yield (
                "command is required with Isolation.PROCESS, got None: the whole argv of the worker, "
                "because the image's ENTRYPOINT does not run there"
            )

    def _permissions(self) -> Iterable[str]:
        for statement in self.permissions:
            for problem in statement.validate_for_identity_policy():
                yield f"permissions must be what a role can have, got {statement.to_statement_json()}: {problem}"

    def _numbers(self) -> Iterable[str]:
        if isinstance(self.watchers, Scaling):
            yield from self.watchers.problems()
        else:
            yield from whole_problems("watchers", self.watchers, 0, MOST_WATCHERS)
        yield from whole_problems("workers", self.workers, 1, 1000)
        yield from whole_problems("max_receive_count", self.max_receive_count, 1, 1000)
        yield from between_problems("backoff base", self.backoff.base, 1, 60)
        yield from between_problems("backoff jitter", self.backoff.jitter, 0, 1)

    def _times(self) -> Iterable[str]:
        yield from span_problems("visibility_timeout", self.visibility_timeout, 3, _HALF_DAY_SECONDS)
        yield from span_problems("retention_period", self.retention_period, 60, _LONGEST_RETENTION_SECONDS)
        if self.backoff.cap is not None:
            yield from span_problems("backoff cap", self.backoff.cap, 0, _HALF_DAY_SECONDS)
        if self.job_timeout is not None:
            yield from self._job_timeout(self.job_timeout)
        if self.start_timeout is not None:
            yield from self._start_timeout(self.start_timeout)
        problem = retention_days_problem(self.log_retention)
        if problem is not None:
            yield problem

    def _job_timeout(self, timeout: Duration) -> Iterable[str]:
        yield from span_problems("job_timeout", timeout, 1, _LONGEST_RETENTION_SECONDS)
        if is_token(timeout):
            return
        if self.isolation is Isolation.PROCESS and in_seconds(timeout) > _LONGEST_PROCESS_JOB_SECONDS:
            yield (
                f"job_timeout must be at most 11 h 50 min with Isolation.PROCESS, got {in_seconds(timeout):.12g} s: "
                "SQS takes a message back 12 hours after its receive; Isolation.TASK has no such limit"
            )
        if not is_token(self.retention_period) and in_seconds(timeout) >= in_seconds(self.retention_period):
            yield (
                f"job_timeout ({in_seconds(timeout):.12g} s) must be shorter than retention_period "
                f"({in_seconds(self.retention_period):.12g} s): "
                "SQS deletes a message of that age even while its job runs"
            )

    def _start_timeout(self, timeout: Duration) -> Iterable[str]:
        yield from span_problems("start_timeout", timeout, 1, _HALF_DAY_SECONDS)
        if self.isolation is Isolation.PROCESS:
            yield "start_timeout is for Isolation.TASK, got one with Isolation.PROCESS, where a worker starts at once"

    def _sizes(self) -> Iterable[str]:
        if self.placement.capacity.is_ec2:
            yield from ec2_size_problems(self.cpu, self.memory_limit_mib)
            return
        problem = fargate_size_problem(self.cpu, self.memory_limit_mib)
        if problem is not None:
            yield problem

    def _payloads(self) -> Iterable[str]:
        if self.delete_payloads and self.payload_bucket is None:
            yield "delete_payloads needs a payload_bucket, got True without one: there are no payloads then"

    def _platform(self) -> Iterable[str]:
        problem = platform_problem(self.runtime_platform)
        if problem is not None:
            yield problem
