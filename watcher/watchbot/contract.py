"""What the construct and the watcher agree on: the only file where a name both sides need is written down.

Environment variables, exit codes, container names, log events and shared defaults live here. The construct
calls :meth:`Settings.to_env`; the watcher calls :meth:`Settings.from_env`. The construct publishes a
:class:`Description` as a stack output; the command line reads it back. Standard library only: the construct
must be able to import this file without boto3, and the watcher without aws-cdk-lib.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import json
import re
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

VERSION = 1
"""Raised when a watcher or a command line of one side can no longer read what the other side wrote."""

PREFIX = "WATCHBOT_"
"""Every variable of ours starts with it; none of them is ever shown to a worker."""

WORKER_ENV_PREFIX = "WATCHBOT_WORKER_ENV_"
"""Before the name of a user's variable that would otherwise steer the watcher in the same container."""

SHADOWED_PREFIXES = ("AWS_", "LD_", "PYTHON")
"""User variables that start so travel behind :data:`WORKER_ENV_PREFIX` where watcher and worker share a container."""

SHADOWED_SUFFIX = "_PROXY"
"""User variables that end so (in any case) travel behind :data:`WORKER_ENV_PREFIX` in the same way."""

HTTPS_PROXY_VARIABLE = f"{PREFIX}HTTPS_PROXY"
CA_CERTIFICATE_VARIABLE = f"{PREFIX}CA_CERTIFICATE"
"""The settings that ECS may fill in from a secret."""

AWS_SERVICES = ("ecs", "logs", "s3", "secretsmanager", "sns", "sqs")
"""The services that a watcher calls, by their names in boto3."""

_CONNECTION_SETTINGS = {
    HTTPS_PROXY_VARIABLE,
    CA_CERTIFICATE_VARIABLE,
    *(PREFIX + name for name in ("REGION", "DUAL_STACK", "FIPS", "NO_PROXY", "ENDPOINT_URL", "ENDPOINT_URLS")),
}

WATCHER_CONTAINER = "watcher"
WORKER_CONTAINER = "worker"
INSTALL_CONTAINER = "watchbot-install"

FAMILY_TAG = "watchbot:family"
"""The tag of every worker's task that a watcher has launched; its value is the family of the task definition."""

LOG_STREAM_PREFIX = "watchbot"
"""A container's log stream is called by this, its own name and the id of its task, with slashes between."""

RUNTIME_DIRECTORY = "/opt/watchbot"
"""Where the init container puts the runtime, and where the worker's container mounts it read-only."""

SCRATCH_DIRECTORY = "/var/watchbot"
"""A writable volume beside the worker, whatever user its image runs as."""

IMAGE_RUNTIME_DIRECTORY = "/usr/lib/watchbot"
"""Where the runtime lies in the watcher image; a volume may then be mounted at :data:`RUNTIME_DIRECTORY`."""

TOOLS_DIRECTORY = f"{RUNTIME_DIRECTORY}/tools"
"""What a worker finds at the end of its PATH, where the runtime was brought into its image."""

LAUNCHER = (
    f"{RUNTIME_DIRECTORY}/bin/hold-signals",
    f"{RUNTIME_DIRECTORY}/bin/busybox",
    "sh",
    f"{RUNTIME_DIRECTORY}/start",
)
"""Starts the watcher inside a user's image without using anything of that image, and drops no signal meanwhile."""

HEALTH_FILE = f"{SCRATCH_DIRECTORY}/health"
"""Touched while the watcher's event loop turns."""


def health_probe(runtime_directory: str) -> tuple[str, ...]:
    """Give the argv of a program that exits with 0 when :data:`HEALTH_FILE` was touched in the last five minutes."""
    return (f"{runtime_directory}/bin/busybox", "sh", f"{runtime_directory}/healthy", HEALTH_FILE)


OUTPUT_SUFFIX = "Watchbot"
"""The id of the stack output that holds a :class:`Description` ends with it."""

PROGRESS_VARIABLE = "ProgressTable"
"""The worker's variable that holds the ARN of the table in which a service's jobs keep their progress."""

MESSAGE_ID_VARIABLE = "MessageId"
"""The worker's variable that holds its message's id."""

TOPIC_VARIABLE = "WorkTopic"
"""The worker's variable that holds the ARN of its service's topic."""

WORKER_VARIABLES = (
    "Message",
    "Subject",
    MESSAGE_ID_VARIABLE,
    "SentTimestamp",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "MessageGroupId",
    "MessageAttributes",
    "MessageAttributesFile",
    "MessageAttributesUrl",
    "MessageFile",
    "MessageUrl",
    "ResultFile",
    TOPIC_VARIABLE,
    "LogGroup",
    PROGRESS_VARIABLE,
)
"""What a worker may find in its environment about its message; users cannot set these names themselves."""

PROGRESS_KEY = "id"
"""The partition key of the progress table, a string; there is no sort key."""

PROGRESS_EXPIRY = "expires"
"""The attribute of the progress table's time to live, in seconds since 1970."""

PROGRESS_KEEP_SECONDS = 30 * 86_400
"""How long after its creation a job may be forgotten."""

TRACE_VARIABLES = ("TRACEPARENT", "_X_AMZN_TRACE_ID")
"""Set for a worker whose message carries a trace; users cannot set these names themselves."""


DEAD_LETTER_MESSAGE_ID = "watchbot.MessageId"
DEAD_LETTER_REASON = "watchbot.Reason"
DEAD_LETTER_RECEIVE_COUNT = "watchbot.ReceiveCount"
"""Message attributes that the watcher adds when it dead-letters: the id in the work queue, why, and how often the work
queue had handed the message out."""

DEAD_LETTER_ATTRIBUTES = (DEAD_LETTER_MESSAGE_ID, DEAD_LETTER_REASON, DEAD_LETTER_RECEIVE_COUNT)
"""The attributes that a dead letter has besides its sender's, the most important one first."""

WEBHOOK_TIME = "watchbot.WebhookTime"
"""Message attribute that the webhook sets, whatever its caller sends: when the request came in, in ms since 1970.

Every message that has it came through the webhook; the headers it brought are attributes under their lower-case names.
"""

WEBHOOK_TYPE = "Number"
WEBHOOK_VERIFIED_TYPE = "Number.verified"
"""Data types of :data:`WEBHOOK_TIME`: as the webhook sets it, and once its caller is known to be genuine.

The webhook itself sets the second one where callers have a key. The watcher sets it when it dead-letters a message
whose signature was valid, so that no later rotation or change of the body matters. SQS lets a type have such a label,
does not count it as an attribute, and copies it with the message; callers of the webhook choose no attributes or types.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""


class Isolation(enum.StrEnum):
    """What a message gets for itself: a fresh ECS task, or a process in a warm, shared one."""

    TASK = "task"
    PROCESS = "process"


class LaunchType(enum.StrEnum):
    """Where ECS runs a task for which no capacity provider is named."""

    FARGATE = "fargate"
    EC2 = "ec2"


class LogFormat(enum.StrEnum):
    """How the watcher writes a line: ``[date] [watcher] [MessageId] …``, or one JSON object."""

    TEXT = "text"
    JSON = "json"


class HmacScheme(enum.StrEnum):
    """What a signature is of: the body alone, or time and body as Stripe signs them."""

    BODY = "body"
    STRIPE = "stripe"


class HmacAlgorithm(enum.StrEnum):
    """The hash function of a signature."""

    SHA256 = "sha256"
    SHA512 = "sha512"


class HmacEncoding(enum.StrEnum):
    """How a signature is written."""

    HEX = "hex"
    BASE64 = "base64"


class OnInvalid(enum.StrEnum):
    """What becomes of a message whose signature is not valid."""

    DROP = "drop"
    DEAD_LETTER = "dead_letter"


class ExitCode(enum.IntEnum):
    """What a worker answers unless told otherwise; any other exit code, and death by a signal, means failed."""

    SUCCEEDED = 0
    REJECTED = 3
    NO_OP = 4
    DEAD_LETTERED = 5


class Outcome(enum.StrEnum):
    """What became of a job; the one list that logs, metrics, documents and settlement share."""

    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    NO_OP = "no_op"
    DEAD_LETTERED = "dead_lettered"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    DID_NOT_START = "did_not_start"


EXIT_CODES: tuple[tuple[str, int], ...] = (
    (Outcome.REJECTED, ExitCode.REJECTED),
    (Outcome.NO_OP, ExitCode.NO_OP),
    (Outcome.DEAD_LETTERED, ExitCode.DEAD_LETTERED),
)
"""The outcomes that an exit code of a worker's own stands for; one that is left out means failed."""


class Event(enum.StrEnum):
    """The names of the watcher's own log lines, for people to search and for programs to count."""

    WATCHER_STARTED = "watcher.started"
    WATCHER_PAUSED = "watcher.paused"
    WATCHER_RESUMED = "watcher.resumed"
    WATCHER_DRAINING = "watcher.draining"
    WATCHER_STOPPED = "watcher.stopped"
    WATCHER_BUG = "watcher.bug"
    PROTECTION_FAILED = "protection.failed"
    QUEUE_ERROR = "queue.error"
    MESSAGE_RECEIVED = "message.received"
    ECS_ERROR = "ecs.error"
    MESSAGE_RECEIVED_AGAIN = "message.received_again"
    MESSAGE_IGNORED = "message.ignored"
    JOB_STARTED = "job.started"
    JOB_FINISHED = "job.finished"
    JOB_HANDED_BACK = "job.handed_back"
    JOB_START_FAILED = "job.start_failed"
    JOB_START_OVERDUE = "job.start_overdue"
    JOB_NOT_STOPPING = "job.not_stopping"
    LEASE_LOST = "lease.lost"
    PAYLOAD_KEPT = "payload.kept"
    SIGNATURE_INVALID = "signature.invalid"
    TASK_STARTED = "task.started"
    NOTIFICATION_FAILED = "notification.failed"
    LOG_LINES_DROPPED = "log.lines_dropped"


METRIC_NAMESPACE = "Watchbot"
METRIC_SERVICE = "Service"
"""The one dimension of every metric: the service's name."""


class Metric(enum.StrEnum):
    """What the watcher counts and measures; durations are in milliseconds."""

    MESSAGE_RECEIVES = "MessageReceives"
    WORKER_SUCCESSES = "WorkerSuccesses"
    WORKER_ERRORS = "WorkerErrors"
    WORKER_DURATION = "WorkerDuration"
    WORKER_PENDING = "WorkerPending"
    RESPONSE_DURATION = "ResponseDuration"
    WATCHER_CONCURRENCY = "WatcherConcurrency"
    FAILED_WORKER_PLACEMENT = "FailedWorkerPlacement"
    UNPLACED_WORKERS = "UnplacedWorkers"
    UNSTOPPED_WORKERS = "UnstoppedWorkers"
    INTERRUPTED = "Interrupted"
    TIMED_OUT = "TimedOut"
    REJECTED = "Rejected"
    DEAD_LETTERED = "DeadLettered"
    NO_OPS = "NoOps"
    LEASE_LOST = "LeaseLost"
    INVALID_SIGNATURES = "InvalidSignatures"
    LOG_LINES_DROPPED = "LogLinesDropped"


class ContractError(ValueError):
    """The root of what this file raises."""


class SettingsError(ContractError):
    """One or more variables are missing or malformed; carries every problem, not only the first."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class DescriptionError(ContractError):
    """A stack output is not a Watchbot's description, or one of another contract version."""


class OtherReleaseError(DescriptionError):
    """A stack output is a Watchbot's description, and this program cannot read it."""


# How one variable is read: text in, value out, or a ValueError that says what is allowed.

_T = TypeVar("_T")
_Reader = Callable[[str], Any]


def _text(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _names(value: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in value.split(",")) if part)


def _whole(lowest: int, highest: int) -> _Reader:
    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = None
        if number is None or not lowest <= number <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return number

    return read


def _sharers(text: str) -> int:
    """Read how many watchers share what an account is allowed; where a parameter says none, one that runs has all."""
    number: int = _whole(0, 5000)(text)
    return max(1, number)


def _decimal(lowest: float, highest: float) -> _Reader:
    def read(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = None
        if number is None or not lowest <= number <= highest:
            raise ValueError(f"must be a number from {lowest:g} to {highest:g}")
        return number

    return read


def _choice(kind: type[enum.StrEnum]) -> _Reader:
    def read(value: str) -> enum.StrEnum:
        try:
            return kind(value.lower())
        except ValueError:
            raise ValueError(f"must be one of {', '.join(kind)}") from None

    return read


def _flag(value: str) -> bool:
    try:
        return {"true": True, "false": False}[value.lower()]
    except KeyError:
        raise ValueError("must be true or false") from None


def _providers(value: str) -> tuple[tuple[str, int], ...]:
    pairs = [part.rpartition("=") for part in _names(value)]
    if not all(name and weight.isdecimal() and 0 <= int(weight) <= 1000 for name, _, weight in pairs):
        raise ValueError("must be capacity providers with weights from 0 to 1000, such as FARGATE_SPOT=3,FARGATE=1")
    return tuple((name, int(weight)) for name, _, weight in pairs)


def _exit_codes(value: str) -> tuple[tuple[str, int], ...]:
    pairs = [part.partition("=") for part in _names(value)]
    names, codes = {name for name, _, _ in pairs}, {code for _, _, code in pairs}
    known = names <= {name for name, _ in EXIT_CODES}
    if not known or min(len(names), len(codes)) < len(pairs) or not all(map(_is_exit_code, codes)):
        raise ValueError("must be outcomes with exit codes from 1 to 255, such as rejected=3,no_op=4,dead_lettered=5")
    return tuple((name, int(code)) for name, _, code in pairs)


def _is_exit_code(text: str) -> bool:
    return text.isdecimal() and 1 <= int(text) <= 255


def _objects(value: str) -> tuple[dict[str, str], ...]:
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("must be a JSON list of objects")
    return tuple(found)


def _url(value: str) -> str:
    if not re.match(r"https?://[^/\s]+(/\S*)?$", value):
        raise ValueError("must be a URL that starts with https:// or http:// and names a host")
    return value


def _region(value: str) -> str:
    if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", value):
        raise ValueError("must be a Region such as eu-west-1")
    return value


def _proxy(value: str) -> str:
    if not is_proxy_url(value):
        raise ValueError("must be the URL of a proxy, such as http://proxy.internal:3128")
    return value


def _endpoints(value: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition("=") for part in _names(value)]
    if not all(service in AWS_SERVICES for service, _, _ in pairs):
        raise ValueError(f"must be services with URLs, such as sqs=https://…, of {', '.join(AWS_SERVICES)}")
    return tuple((service, _url(url)) for service, _, url in pairs)


def _certificates(value: str) -> str:
    import ssl  # here alone: a construct and a command line start without it

    try:
        # Comments between certificates may hold anything.
        pem = value.encode("ascii", "replace").decode()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ValueError, OSError):
        raise ValueError(
            "must be certificates in PEM form with their line breaks, from -----BEGIN CERTIFICATE----- on; in Secrets "
            "Manager that is a secret's plain text, or a field of its JSON with \\n for each line break"
        ) from None
    return value


def is_proxy_url(value: str) -> bool:
    """Whether a text is the URL of a proxy: a scheme, a host, perhaps user, password and port, and nothing else."""
    try:
        parts = urllib.parse.urlsplit(value)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    return parts.scheme in ("http", "https") and has_host and is_bare and not re.search(r"\s", value)


def _setting(name: str, read: _Reader, default: _T, *, is_secret: bool = False) -> _T:
    metadata = {"name": PREFIX + name, "read": read, "secret": is_secret}
    field: _T = dataclasses.field(default=default, metadata=metadata)
    return field


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a watcher is told by its environment.

    ``WATCHBOT_QUEUE_URL`` is the only required variable; the others have the defaults below. Times are in
    seconds. A ``job_timeout_seconds`` of 0 means no limit. ``dead_letter_queue_url`` None means that failed
    messages are returned for ever. The ``task_*`` settings are those of Isolation.TASK, and ``cluster`` turns
    it on. The ``hmac_*`` settings are those of signed webhooks, and ``hmac_secret`` turns them on. ``endpoint_urls``
    are those of single services, before ``endpoint_url``.
    """

    contract_version: int = _setting("CONTRACT_VERSION", _whole(0, 1_000_000), VERSION)
    queue_url: str = _setting("QUEUE_URL", _url, "")
    dead_letter_queue_url: str | None = _setting("DEAD_LETTER_QUEUE_URL", _url, None)
    max_receive_count: int = _setting("MAX_RECEIVE_COUNT", _whole(1, 1000), 10)
    service: str = _setting("SERVICE", _text, "watchbot")
    workers: int = _setting("WORKERS", _whole(1, 1000), 1)
    visibility_timeout_seconds: int = _setting("VISIBILITY_TIMEOUT_SECONDS", _whole(3, 43_200), 180)
    job_timeout_seconds: int = _setting("JOB_TIMEOUT_SECONDS", _whole(0, 30 * 86_400), 0)
    drain_seconds: int = _setting("DRAIN_SECONDS", _whole(0, 43_200), 105)
    backoff_base: float = _setting("BACKOFF_BASE", _decimal(1, 60), 2)
    backoff_cap_seconds: int = _setting("BACKOFF_CAP_SECONDS", _whole(0, 43_200), 900)
    backoff_jitter: float = _setting("BACKOFF_JITTER", _decimal(0, 1), 0)
    exit_codes: tuple[tuple[str, int], ...] = _setting("EXIT_CODES", _exit_codes, EXIT_CODES)
    log_format: LogFormat = _setting("LOG_FORMAT", _choice(LogFormat), LogFormat.TEXT)
    log_rate_bytes: int = _setting("LOG_RATE_BYTES", _whole(1024, 1_073_741_824), 1_048_576)
    log_message_bodies: bool = _setting("LOG_MESSAGE_BODIES", _flag, default=True)
    debug: bool = _setting("DEBUG", _flag, default=False)
    payload_bucket: str | None = _setting("PAYLOAD_BUCKET", _text, None)
    delete_payloads: bool = _setting("DELETE_PAYLOADS", _flag, default=False)
    region: str | None = _setting("REGION", _region, None)
    endpoint_url: str | None = _setting("ENDPOINT_URL", _url, None)
    endpoint_urls: tuple[tuple[str, str], ...] = _setting("ENDPOINT_URLS", _endpoints, ())
    dual_stack: bool = _setting("DUAL_STACK", _flag, default=False)
    fips: bool = _setting("FIPS", _flag, default=False)
    https_proxy: str | None = _setting("HTTPS_PROXY", _proxy, None, is_secret=True)
    no_proxy: tuple[str, ...] = _setting("NO_PROXY", _names, ())
    ca_certificate: str | None = _setting("CA_CERTIFICATE", _certificates, None, is_secret=True)
    work_topic: str | None = _setting("WORK_TOPIC", _text, None)
    log_group: str | None = _setting("LOG_GROUP", _text, None)
    progress_table: str | None = _setting("PROGRESS_TABLE", _text, None)
    hmac_secret: str | None = _setting("HMAC_SECRET", _text, None)
    hmac_field: str | None = _setting("HMAC_FIELD", _text, None)
    hmac_header: str | None = _setting("HMAC_HEADER", _text, None)
    hmac_scheme: HmacScheme = _setting("HMAC_SCHEME", _choice(HmacScheme), HmacScheme.BODY)
    hmac_algorithm: HmacAlgorithm = _setting("HMAC_ALGORITHM", _choice(HmacAlgorithm), HmacAlgorithm.SHA256)
    hmac_encoding: HmacEncoding = _setting("HMAC_ENCODING", _choice(HmacEncoding), HmacEncoding.HEX)
    hmac_prefix: str = _setting("HMAC_PREFIX", str, "")
    hmac_tolerance_seconds: int = _setting("HMAC_TOLERANCE_SECONDS", _whole(1, 86_400), 300)
    hmac_on_invalid: OnInvalid = _setting("HMAC_ON_INVALID", _choice(OnInvalid), OnInvalid.DROP)
    notification_topic_arn: str | None = _setting("NOTIFICATION_TOPIC_ARN", _text, None)
    cluster: str | None = _setting("CLUSTER", _text, None)
    task_definition: str | None = _setting("TASK_DEFINITION", _text, None)
    watchers: int = _setting("WATCHERS", _sharers, 1)
    start_timeout_seconds: int = _setting("START_TIMEOUT_SECONDS", _whole(1, 43_200), 600)
    task_launch_type: LaunchType = _setting("TASK_LAUNCH_TYPE", _choice(LaunchType), LaunchType.FARGATE)
    task_capacity: tuple[tuple[str, int], ...] = _setting("TASK_CAPACITY", _providers, ())
    task_placement_constraints: tuple[dict[str, str], ...] = _setting("TASK_PLACEMENT_CONSTRAINTS", _objects, ())
    task_placement_strategies: tuple[dict[str, str], ...] = _setting("TASK_PLACEMENT_STRATEGIES", _objects, ())
    task_payload_bucket: str | None = _setting("TASK_PAYLOAD_BUCKET", _text, None)
    task_subnets: tuple[str, ...] = _setting("TASK_SUBNETS", _names, ())
    task_security_groups: tuple[str, ...] = _setting("TASK_SECURITY_GROUPS", _names, ())
    task_public_ip: bool = _setting("TASK_PUBLIC_IP", _flag, False)

    @property
    def isolation(self) -> Isolation:
        """TASK when a cluster is named, else PROCESS."""
        return Isolation.PROCESS if self.cluster is None else Isolation.TASK

    @property
    def fifo(self) -> bool:
        """Whether the queue keeps order; SQS lets only FIFO queues end in ``.fifo``."""
        return self.queue_url.endswith(".fifo")

    def to_env(self, render: Callable[[Any], str] = str) -> dict[str, str]:
        """Render the variables that :meth:`from_env` reads back as this value; what has its default is left out.

        ``render`` turns one value into text, so that a construct can write a value known only at deployment.
        """
        variables = {f"{PREFIX}CONTRACT_VERSION": str(VERSION)}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value == field.default or value is None:
                continue
            variables[field.metadata["name"]] = _render(value, render)
        return variables

    def to_log(self) -> dict[str, str]:
        """Render the variables for a log, where a proxy's password and certificates are not shown."""
        secret = {field.metadata["name"] for field in dataclasses.fields(self) if field.metadata["secret"]}
        return {name: "(not shown)" if name in secret else value for name, value in self.to_env().items()}

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from an environment.

        Raises :class:`SettingsError` with every missing, malformed and unknown ``WATCHBOT_*`` variable.
        """
        fields = {field.metadata["name"]: field for field in dataclasses.fields(cls)}
        values: dict[str, Any] = {}
        problems: list[str] = []
        for name, field in fields.items():
            text = environment.get(name)
            if text is None:
                continue
            try:
                values[field.name] = field.metadata["read"](text)
            except ValueError as error:
                got = f"{len(text)} characters" if field.metadata["secret"] else repr(text)
                problems.append(f"{name} {error}, got {got}")
        if f"{PREFIX}QUEUE_URL" not in environment:
            problems.insert(0, f"{PREFIX}QUEUE_URL is missing: the URL of the queue to work on")
        version = values.get("contract_version", VERSION)
        if version != VERSION:
            problems.append(_version_problem("the construct that made this stack", version))
        for one, other in (("CLUSTER", "TASK_DEFINITION"), ("HMAC_SECRET", "HMAC_HEADER")):
            if (PREFIX + one in environment) != (PREFIX + other in environment):
                problems.append(f"{PREFIX}{one} and {PREFIX}{other} go together: one of them is missing")
        if values.get("delete_payloads") and "payload_bucket" not in values:
            problems.append(f"{PREFIX}DELETE_PAYLOADS needs {PREFIX}PAYLOAD_BUCKET: there are no payloads without it")
        problems += _unknown_names(environment, fields)
        if problems:
            raise SettingsError(tuple(problems))
        return cls(**values)


def _render(value: Any, render: Callable[[Any], str]) -> str:
    match value:
        case bool():
            return str(value).lower()
        case ((str(), _), *_):
            return ",".join(f"{render(name)}={render(weight)}" for name, weight in value)
        case (dict(), *_):
            return json.dumps(value, allow_nan=False)
        case tuple():
            return ",".join(render(part) for part in value)
        case _:
            return render(value)


def _unknown_names(environment: Mapping[str, str], known: Mapping[str, object]) -> list[str]:
    problems = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name.startswith(WORKER_ENV_PREFIX) or name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        problems.append(f"{name} is not a setting of this watcher{hint}")
    return problems


def _version_problem(writer: str, version: object) -> str:
    return (
        f"{writer} speaks contract version {version} and this program version {VERSION}: "
        "install the same release of watchbot-cdk on both sides and deploy again"
    )


def is_reserved(name: str) -> bool:
    """Whether a user may not set this variable on a worker, because Watchbot sets it."""
    return name.startswith(PREFIX) or name in WORKER_VARIABLES or name in TRACE_VARIABLES


def is_shadowed(name: str) -> bool:
    """Whether this variable would steer the watcher's own AWS client, loader or interpreter."""
    return name.startswith(SHADOWED_PREFIXES) or name.upper().endswith(SHADOWED_SUFFIX)


def is_task_setting(name: str) -> bool:
    """Whether this variable is a setting of Isolation.TASK alone: without all of them a watcher runs processes."""
    return name == f"{PREFIX}CLUSTER" or name.startswith(f"{PREFIX}TASK_")


def is_connection_setting(name: str) -> bool:
    """Whether this variable is about how AWS is reached, which is another matter where AWS is an emulator."""
    return name in _CONNECTION_SETTINGS


def is_hmac_setting(name: str) -> bool:
    """Whether this variable is a setting of signed webhooks alone."""
    return name.startswith(f"{PREFIX}HMAC_")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a stack says of one Watchbot in its output, so that a stack's name is enough to find the rest.

    The task definitions are ARNs and the rest names, URLs and ARNs as AWS calls take them; ``topic_arn`` is where
    jobs are sent. In PROCESS ``worker_task_definition`` equals ``task_definition``: worker and watcher share it.
    ``progress_table`` is None without one, and where an earlier release has deployed.
    """

    service: str
    isolation: Isolation
    topic_arn: str
    queue_url: str
    dead_letter_queue_url: str
    log_group: str
    cluster: str
    ecs_service: str
    task_definition: str
    worker_task_definition: str
    progress_table: str | None = None
    version: int = VERSION

    def to_dict(self) -> dict[str, Any]:
        """As JSON would hold it; the construct renders it, because the values are known only at deployment."""
        values = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return {"version": values.pop("version"), **values}

    @classmethod
    def from_json(cls, text: str) -> Description:
        """Read a stack output back; raises :class:`DescriptionError` when it is not one of this version."""
        try:
            values = json.loads(text)
            version = values["version"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise DescriptionError(f"not a Watchbot's description: {text[:200]!r}") from None
        if version != VERSION:
            raise OtherReleaseError(_version_problem("the stack", version))
        fields = dataclasses.fields(cls)
        needed = {field.name for field in fields if field.default is dataclasses.MISSING}
        missing = sorted(needed - values.keys())
        if missing:
            raise OtherReleaseError(f"a Watchbot's description lacks {', '.join(missing)}")
        values = {field.name: values[field.name] for field in fields if field.name in values}
        for field in fields:
            _check_field(field, values.get(field.name))
        return cls(**{**values, "isolation": Isolation(values["isolation"])})


def _check_field(field: dataclasses.Field[Any], value: object) -> None:
    """Refuse what no value of a description can be: all of them are texts but its version."""
    if field.name == "version" or (value is None and field.default is None):
        return
    if not isinstance(value, str):
        raise OtherReleaseError(f"a Watchbot's description has the {field.name} {value!r}, which is no text")
    if field.name == "isolation" and value not in {*Isolation}:
        raise OtherReleaseError(
            f"the stack has the isolation {value!r}, and this program knows {', '.join(Isolation)}: it was deployed "
            "with a newer release of watchbot-cdk, install that"
        )
