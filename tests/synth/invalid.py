"""What arguments of a Watchbot cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aws_cdk import Duration, Size
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from tests.synth.world import Value, of
from watchbot_cdk import Alarms, AwsConnection, Backoff, Capacity, ExitCodes, Mount, ReduceMode, Scaling, Webhook
from watchbot_cdk.alarms import QueueSizeAlarm, StalledAlarm

_JUNK: Mapping[str, Callable[[], object]] = {
    "a text": lambda: "junk",
    "a number": lambda: -7.5,
    "a list": lambda: ["junk", 3],
    "a mapping": lambda: {"junk": 3},
    "bytes": lambda: b"junk",
    "true": lambda: True,
    "no number": lambda: float("nan"),
    "no end": lambda: float("inf"),
    "an object": object,
}

FLAGS = (
    "dashboard",
    "debug",
    "delete_payloads",
    "fifo",
    "log_message_bodies",
    "notify_on_each_failure",
    "privileged",
    "publisher_user",
    "readonly_root_filesystem",
    "reduce",
    "assign_public_ip",
)

_OUT_OF_RANGE: Mapping[str, tuple[Callable[[], object], ...]] = {
    "cpu": (lambda: 0, lambda: 127),
    "memory_limit_mib": (lambda: 0, lambda: 5, lambda: 33_554_433),
    "watchers": (
        lambda: -1,
        lambda: 5001,
        lambda: 1.5,
        lambda: Scaling(max=0),
        lambda: Scaling(min=2, max=1),
        lambda: Scaling(max=1, latency_target=Duration.seconds(1)),
        lambda: Scaling(max="many"),  # type: ignore[arg-type] # refused
    ),
    "workers": (lambda: 0, lambda: 1001),
    "max_receive_count": (lambda: 0, lambda: 1001),
    "visibility_timeout": (
        lambda: Duration.seconds(2),
        lambda: Duration.seconds(43_201),
        lambda: Duration.millis(3500),
    ),
    "retention_period": (lambda: Duration.seconds(59), lambda: Duration.days(15)),
    "job_timeout": (lambda: Duration.seconds(0), lambda: Duration.days(15)),
    "start_timeout": (lambda: Duration.seconds(0), lambda: Duration.days(1)),
    "drain": (lambda: Duration.days(1), lambda: Duration.millis(2500)),
    "backoff": (lambda: Backoff(base=0.5), lambda: Backoff(cap=Duration.days(1)), lambda: Backoff(jitter=1.1)),
    "log_retention": (lambda: Duration.days(2), lambda: Duration.hours(1)),
    "log_rate": (lambda: Size.bytes(1023), lambda: Size.gibibytes(2)),
    "exit_codes": (lambda: ExitCodes(reject=0), lambda: ExitCodes(noop=256), lambda: ExitCodes(reject=5)),
    "family": (lambda: "", lambda: "a b", lambda: "a" * 256),
    "environment": (
        lambda: {"Message": "x"},
        lambda: {"WATCHBOT_WORKERS": "1"},
        lambda: {"A=B": "x"},
        lambda: {"A": "\0"},
    ),
    "permissions": (lambda: [iam.PolicyStatement(actions=["s3:*"])],),
    "command": (list, lambda: [""]),
    "gpu_count": (lambda: 0, lambda: 17),
    "memory_reservation_mib": (lambda: 5, lambda: 33_554_432),
    "ephemeral_storage_gib": (lambda: 20, lambda: 201),
    "notification_email": (lambda: "nobody", list, lambda: ["a@example.com", "a@example.com"]),
    "security_groups": (list,),
    "mounts": (
        lambda: [Mount.ephemeral("cache")],
        lambda: [Mount.ephemeral("/")],
        lambda: [Mount.ephemeral("/cache/..")],
        lambda: [Mount.ephemeral("/cache"), Mount.ephemeral("/cache/")],
        lambda: [Mount.ephemeral("/cache"), Mount.ephemeral("//tmp/../cache")],
        lambda: [Mount.host("tiles", "/tiles")],
    ),
    "ulimits": (
        lambda: [ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=2, hard_limit=1)],
        lambda: [ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=-1, hard_limit=1)],
        lambda: [ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=-2, hard_limit=1)],
    ),
    "capacity": (
        lambda: Capacity.strategy([]),
        lambda: Capacity.strategy(None),  # type: ignore[arg-type] # refused
        lambda: Capacity.fargate_spot(spot=0),
        lambda: Capacity.fargate_spot(spot=1001),
        lambda: Capacity("FARGATE"),  # type: ignore[arg-type] # refused
    ),
    "webhook": (
        Webhook,
        lambda: Webhook(api_key=True, headers=["a b"]),
        lambda: Webhook(api_key=True, headers=[f"h{number}" for number in range(8)]),
        lambda: Webhook(api_key=True, throttling_rate_limit=-1),
    ),
    "aws_connection": (
        lambda: AwsConnection(dual_stack="yes"),  # type: ignore[arg-type] # refused
        lambda: AwsConnection(https_proxy="proxy:3128"),
        lambda: AwsConnection(https_proxy="http://user:password@proxy:3128"),
        lambda: AwsConnection(no_proxy=["s3.eu-west-1.amazonaws.com"]),
        lambda: AwsConnection(https_proxy="http://proxy", no_proxy=["https://host"]),
        lambda: AwsConnection(ca_certificate="-----BEGIN CERTIFICATE-----"),  # type: ignore[arg-type] # refused
        lambda: AwsConnection(endpoint_urls={"dynamodb": "https://host"}),
        lambda: AwsConnection(endpoint_urls={"sqs": "host"}),
    ),
    "reduce": (lambda: ReduceMode(point_in_time_recovery=1),),  # type: ignore[arg-type] # refused
    "alarms": (
        lambda: Alarms(queue_size=QueueSizeAlarm(threshold=-1)),
        lambda: Alarms(stalled=StalledAlarm(after=Duration.seconds(30))),
        lambda: Alarms(runbook_base=""),
        lambda: Alarms(runbook_base="https://example.com/page#"),
    ),
}


def invalid(argument: str) -> list[Value]:
    """Give values that this argument cannot have, whatever the others are: of other kinds, and out of its bounds."""
    kinds = {name: make for name, make in _JUNK.items() if not (name == "true" and argument in FLAGS)}
    if argument == "family":
        del kinds["a text"]
    out_of_range = {f"out of range {number}": make for number, make in enumerate(_OUT_OF_RANGE.get(argument, ()))}
    return [_made(name, make) for name, make in {**kinds, **out_of_range}.items()]


def _made(name: str, make: Callable[[], object]) -> Value:
    return of(name, lambda _: make())
