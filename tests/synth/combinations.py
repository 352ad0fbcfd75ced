"""Random combinations of a Watchbot's arguments: plain values, so that one can be read, and be built in any stack."""

from __future__ import annotations

import dataclasses
import random
import string
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from aws_cdk import Duration, Size
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs_destinations as destinations

from tests.synth.template import image
from tests.synth.world import Value, World, of, plain
from watchbot.contract import Isolation, LogFormat
from watchbot_cdk import Alarms, AwsConnection, Backoff, Capacity, ExitCodes, Hmac, Mount, ReduceMode, Scaling, Webhook
from watchbot_cdk.alarms import DwellTimeAlarm, QueueSizeAlarm, StalledAlarm, WorkerErrorRateAlarm
from watchbot_cdk.fargate_size import _MEMORY_MIB as FARGATE_MEMORY_MIB
from watchbot_cdk.log_retention import _NAMES as LOG_RETENTION_DAYS

_HALF_DAY = 43_200
_NAME = string.ascii_letters + string.digits + "_-"
_CHARACTERS = string.printable.strip() + " äß→猫🐈"
_VARIABLES = ("LANG", "AWS_REGION", "LD_PRELOAD", "HTTP_PROXY", "PATH", "lower", "A.B")


Combination: TypeAlias = Mapping[str, Value]


def build(combination: Combination, world: World) -> dict[str, Any]:
    """Make the arguments for a service of this stack."""
    return {name: value.make(world) for name, value in combination.items()}


def drawn(count: int, *, first: int = 0) -> list[Combination]:
    """Draw this many valid combinations, from the first number on; each number gives the same in every run."""
    return [_combination(_Draft(random.Random(number))) for number in range(first, first + count)]


@dataclasses.dataclass
class _Draft:
    """Draws one argument after the other; which of them depends on what was drawn before."""

    chance: random.Random
    arguments: dict[str, Value] = dataclasses.field(default_factory=dict)

    def maybe(self) -> bool:
        return self.chance.random() < 1 / 3

    def one_of(self, *values: Any) -> Any:
        return self.chance.choice(values)

    def some_of(self, *values: Any, least: int = 0) -> list[Any]:
        return self.chance.sample(values, self.chance.randint(least, len(values)))

    def whole(self, lowest: int, highest: int) -> int:
        """Draw a whole number, a bound of the range as likely as any other."""
        number: int = self.one_of(lowest, highest, *(self.chance.randint(lowest, highest) for _ in range(2)))
        return number

    def text(self, characters: str = _CHARACTERS, longest: int = 30) -> str:
        return "".join(self.chance.choices(characters, k=self.chance.randint(1, longest)))

    def give(self, name: str, value: Value) -> None:
        self.arguments[name] = value

    def number(self, name: str, lowest: int, highest: int) -> None:
        """Give a whole number, or a parameter whose default it is."""
        number = self.whole(lowest, highest)
        if self.maybe():
            self.give(name, Value(f"CfnParameter({number})", lambda world: world.number(number), number))
        else:
            self.give(name, plain(number))

    def seconds(self, name: str, lowest: int, highest: int, *, parameters: bool = True) -> None:
        """Give a time, or one that a parameter says."""
        number = self.whole(lowest, highest)
        if parameters and self.maybe():
            text, make = f"seconds(CfnParameter({number}))", lambda world: Duration.seconds(world.number(number))
        else:
            text, make = f"seconds({number})", lambda _: Duration.seconds(number)
        self.give(name, Value(text, make, number))

    def flag(self, name: str) -> None:
        if self.maybe():
            self.give(name, plain(self.one_of(False, True)))


def _combination(draft: _Draft) -> Combination:
    """Draw arguments that are valid together."""
    isolation = draft.one_of(*Isolation)
    if isolation is Isolation.PROCESS or draft.maybe():
        draft.give("isolation", plain(isolation))
    is_ec2, has_cluster = _where(draft, isolation)
    _worker(draft, isolation)
    (_on_instances if is_ec2 else _on_fargate)(draft, isolation)
    _mounts(draft, is_ec2=is_ec2, has_cluster=has_cluster)
    _queue(draft, isolation)
    _ingress(draft)
    _watching(draft)
    _log(draft, isolation)
    return draft.arguments


def _where(draft: _Draft, isolation: Isolation) -> tuple[bool, bool]:
    kind = draft.one_of(None, "fargate", "spot", "ec2", "groups")
    is_ec2 = kind in ("ec2", "groups")
    has_cluster = is_ec2 or draft.maybe()
    weight = draft.whole(1, 1000)
    match kind:
        case "fargate":
            draft.give("capacity", of("fargate()", lambda _: Capacity.fargate()))
        case "spot":
            made = lambda _: Capacity.fargate_spot(spot=weight, on_demand=weight - 1)  # noqa: E731 - short
            draft.give("capacity", of(f"fargate_spot({weight}, {weight - 1})", made))
        case "ec2":
            draft.give("capacity", of("ec2()", lambda _: Capacity.ec2()))
        case "groups":
            base = draft.whole(0, 10) if isolation is Isolation.PROCESS else 0
            draft.give("capacity", of(f"strategy(mine, {weight}, {base})", lambda _: _groups(weight, base)))
    if has_cluster:
        draft.give("cluster", of("with instances", lambda world: world.cluster))
    _network(draft, is_ec2=is_ec2, has_cluster=has_cluster)
    return is_ec2, has_cluster


def _groups(weight: int, base: int) -> Capacity:
    return Capacity.strategy([ecs.CapacityProviderStrategy(capacity_provider="mine", weight=weight, base=base)])


def _network(draft: _Draft, *, is_ec2: bool, has_cluster: bool) -> None:
    subnets = draft.one_of(None, "PUBLIC", "PRIVATE_WITH_EGRESS") if has_cluster else None
    if subnets is not None:
        kind = ec2.SubnetType[subnets]
        draft.give("vpc_subnets", of(subnets, lambda _: ec2.SubnetSelection(subnet_type=kind)))
    if draft.maybe() and (subnets is not None or not is_ec2):
        draft.give("security_groups", of("[one]", lambda world: [world.group]))
    if draft.maybe() and not is_ec2:
        public = subnets == "PUBLIC" or subnets is None
        draft.give("assign_public_ip", plain(not has_cluster or (public and draft.one_of(False, True))))


def _worker(draft: _Draft, isolation: Isolation) -> None:
    from_registry, from_repository = (
        of("registry", lambda _: image()),
        of("repository", lambda world: ecs.ContainerImage.from_ecr_repository(world.repository, tag="4c0ffee")),
    )
    draft.give("image", draft.one_of(from_registry, from_repository))
    if isolation is Isolation.PROCESS or draft.maybe():
        draft.give("command", plain(["work", *(draft.text() for _ in range(draft.whole(0, 3)))]))
    if draft.maybe():
        draft.give("environment", plain({name: draft.text() for name in draft.some_of(*_VARIABLES)}))
    if draft.maybe():
        made = lambda world: {"TOKEN": ecs.Secret.from_secrets_manager(world.secret)}  # noqa: E731 - short
        draft.give("secrets", of("{TOKEN}", made))
    if draft.maybe():
        arn = "arn:aws:s3:::tiles/*"
        statement = lambda _: [iam.PolicyStatement(actions=["s3:GetObject"], resources=[arn])]  # noqa: E731 - short
        draft.give("permissions", of("[s3:GetObject]", statement))
    if draft.maybe():
        chip = draft.one_of("ARM64", "X86_64")
        draft.give("runtime_platform", of(chip, lambda _: _platform(chip)))
    if draft.maybe():
        draft.give("family", plain(draft.text(_NAME, 255)))
    if draft.maybe():
        codes = [code if draft.one_of(True, True, False) else None for code in draft.chance.sample(range(1, 256), 3)]
        chosen = ExitCodes(reject=codes[0], noop=codes[1], dead_letter=codes[2])
        draft.give("exit_codes", plain(chosen))
    draft.flag("readonly_root_filesystem")


def _platform(chip: str) -> ecs.RuntimePlatform:
    architecture = ecs.CpuArchitecture.ARM64 if chip == "ARM64" else ecs.CpuArchitecture.X86_64
    return ecs.RuntimePlatform(cpu_architecture=architecture)


def _on_fargate(draft: _Draft, isolation: Isolation) -> None:
    if draft.maybe():
        cpu = draft.one_of(*FARGATE_MEMORY_MIB)
        draft.give("cpu", plain(cpu))
        draft.give("memory_limit_mib", plain(draft.one_of(*FARGATE_MEMORY_MIB[cpu])))
    if draft.maybe():
        draft.number("ephemeral_storage_gib", 21, 200)
    if draft.maybe():
        draft.seconds("drain", *((2, 120) if isolation is Isolation.TASK else (0, 105)), parameters=False)
    if draft.maybe():
        _ulimits(draft, ["NOFILE"])


def _on_instances(draft: _Draft, isolation: Isolation) -> None:
    if draft.maybe():
        draft.number("cpu", 128, 10_240)
    if draft.maybe():
        draft.number("memory_limit_mib", 1024, 65_536)
    if draft.maybe():
        draft.number("memory_reservation_mib", 6, 511)
    if draft.maybe():
        draft.give("gpu_count", plain(draft.whole(1, 16)))
    draft.flag("privileged")
    if draft.maybe():
        longest = _HALF_DAY if isolation is Isolation.TASK else _HALF_DAY - 15
        draft.seconds("drain", 2, longest, parameters=False)
    if draft.maybe():
        _ulimits(draft, draft.some_of("NOFILE", "CORE", "MEMLOCK", least=1))
    if draft.maybe():
        distinct = lambda _: [ecs.PlacementConstraint.distinct_instances()]  # noqa: E731 - short
        draft.give("placement_constraints", of("[distinct_instances]", distinct))
    if draft.maybe():
        packed = lambda _: [ecs.PlacementStrategy.packed_by_memory()]  # noqa: E731 - short
        draft.give("placement_strategies", of("[packed_by_memory]", packed))


def _ulimits(draft: _Draft, names: list[str]) -> None:
    soft = draft.whole(1, 65_535)
    hard = draft.whole(soft, 65_535)
    made = [ecs.Ulimit(name=ecs.UlimitName[name], soft_limit=soft, hard_limit=hard) for name in names]
    draft.give("ulimits", of(f"{names} {soft} {hard}", lambda _: made))


def _mounts(draft: _Draft, *, is_ec2: bool, has_cluster: bool) -> None:
    kinds = ["ephemeral", *(["host"] if is_ec2 else []), *(["efs"] if has_cluster else [])]
    if not draft.maybe():
        return
    chosen = draft.some_of(*kinds, least=1)
    read_only = draft.one_of(False, True)

    def make(world: World) -> list[Mount]:
        ways: dict[str, Callable[[], Mount]] = {
            "ephemeral": lambda: Mount.ephemeral("/cache"),
            "host": lambda: Mount.host("/srv/tiles", "/tiles", read_only=read_only),
            "efs": lambda: Mount.efs(world.files, "/files", read_only=read_only),
        }
        return [ways[kind]() for kind in chosen]

    draft.give("mounts", of(f"{chosen}{' read only' if read_only else ''}", make))


def _queue(draft: _Draft, isolation: Isolation) -> None:
    _watchers(draft)
    if draft.maybe():
        draft.number("workers", 1, 1000)
    draft.flag("fifo")
    if draft.maybe():
        draft.number("max_receive_count", 1, 1000)
    if draft.maybe():
        draft.seconds("visibility_timeout", 3, _HALF_DAY)
    if draft.maybe():
        draft.seconds("retention_period", _HALF_DAY + 1, 14 * 86_400)
    if draft.maybe():
        draft.seconds("job_timeout", 1, _HALF_DAY - (600 if isolation is Isolation.PROCESS else 0))
    if draft.maybe() and isolation is Isolation.TASK:
        draft.seconds("start_timeout", 1, _HALF_DAY)
    if draft.maybe():
        base, cap, jitter = draft.chance.uniform(1, 60), draft.whole(0, _HALF_DAY), draft.chance.random()
        text = f"Backoff({base}, {cap} s, {jitter})"
        draft.give("backoff", of(text, lambda _: Backoff(base=base, cap=Duration.seconds(cap), jitter=jitter)))
    if draft.maybe():
        draft.give("encryption_key", of("mine", lambda world: world.key))
    if draft.maybe():
        draft.give("reduce", plain(draft.one_of(True, False, ReduceMode(point_in_time_recovery=True))))
    if draft.maybe():
        draft.give("payload_bucket", of("mine", lambda world: world.bucket))
        draft.give("delete_payloads", plain(draft.one_of(True, False)))


def _watchers(draft: _Draft) -> None:
    if draft.maybe():
        draft.number("watchers", 0, 5000)
    elif draft.maybe():
        low, high = sorted((draft.whole(0, 5000), draft.whole(1, 5000)))
        job = draft.one_of(None, draft.whole(1, 600))
        text = f"Scaling({low}, {high}, {job} s)"
        draft.give("watchers", of(text, lambda world: _scaling(world, low, high, job)))


def _scaling(world: World, low: int, high: int, job: int | None) -> Scaling:
    times = (None, None) if job is None else (Duration.seconds(10 * job), Duration.seconds(job))
    most = high if low else world.number(high)
    return Scaling(min=low, max=most, latency_target=times[0], job_duration=times[1])


def _ingress(draft: _Draft) -> None:
    draft.flag("publisher_user")
    kind = draft.one_of(None, None, "key", "github", "stripe", "own")
    if kind is None:
        return
    rate, burst = draft.whole(1, 10_000), draft.whole(1, 5_000)
    headers = draft.some_of("X-Trace", "X-Kind", "Content-Type")
    logged = draft.one_of(False, True)

    def make(world: World) -> Webhook:
        signers: dict[str, Callable[[], Hmac]] = {
            "github": lambda: Hmac.github(world.secret, on_invalid="dead_letter"),
            "stripe": lambda: Hmac.stripe(world.secret, field="signing"),
            "own": lambda: Hmac(secret=world.secret, header="X-Mine", algorithm="sha512", encoding="base64"),
        }
        return Webhook(
            api_key=kind == "key",
            hmac=None if kind == "key" else signers[kind](),
            headers=headers,
            throttling_rate_limit=rate,
            throttling_burst_limit=burst,
            access_logs=logged,
        )

    draft.give("webhook", of(f"{kind} {headers} {rate}/{burst}{' logged' if logged else ''}", make))


def _watching(draft: _Draft) -> None:
    match draft.one_of(None, "email", "emails", "topic"):
        case "email":
            draft.give("notification_email", plain("ops@example.com"))
        case "emails":
            draft.give("notification_email", plain(["ops@example.com", "dev+jobs@example.org"]))
        case "topic":
            draft.give("notification_topic", of("mine", lambda world: world.topic))
    draft.flag("notify_on_each_failure")
    draft.flag("dashboard")
    if not draft.maybe():
        return
    threshold, periods, minutes = draft.whole(0, 100), draft.whole(1, 24), draft.whole(2, 24)
    told = draft.one_of(False, True)
    if threshold % 5 == 0:
        draft.give("alarms", of("Alarms.off()", lambda _: Alarms.off()))
        return
    text = f"Alarms({threshold}, {periods}, {minutes} x 5 min{', ok' if told else ''})"
    draft.give("alarms", of(text, lambda _: _alarms(threshold, periods, 5 * minutes, told=told)))


def _alarms(threshold: int, periods: int, minutes: int, *, told: bool) -> Alarms:
    return Alarms(
        queue_size=QueueSizeAlarm(threshold=threshold, periods=periods),
        worker_error_rate=WorkerErrorRateAlarm(threshold=threshold),
        stalled=StalledAlarm(after=Duration.minutes(minutes)),
        dwell_time=DwellTimeAlarm(threshold=Duration.minutes(minutes)),
        more_dead_letters=None,
        ok_actions=told,
        runbook_base="https://example.com/runbook",
    )


def _log(draft: _Draft, isolation: Isolation) -> None:
    if draft.maybe():
        days = draft.one_of(*LOG_RETENTION_DAYS)
        draft.give("log_retention", of(f"{days} days", lambda _: Duration.days(days)))
    if draft.maybe():
        draft.give("log_format", plain(draft.one_of(*LogFormat)))
    draft.flag("log_message_bodies")
    draft.flag("debug")
    if draft.maybe() and isolation is Isolation.PROCESS:
        kib = draft.whole(1, 1_048_576)
        draft.give("log_rate", Value(f"{kib} KiB", lambda _: Size.kibibytes(kib), kib * 1024))
    if draft.maybe():
        draft.give("log_destination", of("a function", lambda w: destinations.LambdaDestination(w.collector)))
    if draft.maybe():
        draft.give("watcher_image", of("mine", lambda _: ecs.ContainerImage.from_registry("public.ecr.aws/x/watcher")))
    if draft.maybe():
        connection = AwsConnection(dual_stack=True, https_proxy="http://proxy.internal:3128", no_proxy=[".internal"])
        draft.give("aws_connection", plain(connection))
