from __future__ import annotations

import dataclasses
import json

import pytest

from tests.certificates import Authority
from watchbot.contract import (
    VERSION,
    Description,
    DescriptionError,
    HmacAlgorithm,
    HmacEncoding,
    HmacScheme,
    Isolation,
    LaunchType,
    LogFormat,
    OnInvalid,
    Settings,
    SettingsError,
    is_reserved,
    is_shadowed,
)

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"
AUTHORITY = Authority()

NAMES = {
    "WATCHBOT_BACKOFF_BASE",
    "WATCHBOT_BACKOFF_CAP_SECONDS",
    "WATCHBOT_BACKOFF_JITTER",
    "WATCHBOT_CA_CERTIFICATE",
    "WATCHBOT_CLUSTER",
    "WATCHBOT_CONTRACT_VERSION",
    "WATCHBOT_DEAD_LETTER_QUEUE_URL",
    "WATCHBOT_DEBUG",
    "WATCHBOT_DRAIN_SECONDS",
    "WATCHBOT_DUAL_STACK",
    "WATCHBOT_ENDPOINT_URLS",
    "WATCHBOT_EXIT_CODES",
    "WATCHBOT_FIPS",
    "WATCHBOT_HMAC_ALGORITHM",
    "WATCHBOT_HMAC_ENCODING",
    "WATCHBOT_HMAC_FIELD",
    "WATCHBOT_HMAC_HEADER",
    "WATCHBOT_HMAC_ON_INVALID",
    "WATCHBOT_HMAC_PREFIX",
    "WATCHBOT_HMAC_SCHEME",
    "WATCHBOT_HMAC_SECRET",
    "WATCHBOT_HMAC_TOLERANCE_SECONDS",
    "WATCHBOT_HTTPS_PROXY",
    "WATCHBOT_JOB_TIMEOUT_SECONDS",
    "WATCHBOT_LOG_FORMAT",
    "WATCHBOT_LOG_GROUP",
    "WATCHBOT_PROGRESS_TABLE",
    "WATCHBOT_LOG_MESSAGE_BODIES",
    "WATCHBOT_LOG_RATE_BYTES",
    "WATCHBOT_MAX_RECEIVE_COUNT",
    "WATCHBOT_NOTIFICATION_TOPIC_ARN",
    "WATCHBOT_NO_PROXY",
    "WATCHBOT_QUEUE_URL",
    "WATCHBOT_REGION",
    "WATCHBOT_PAYLOAD_BUCKET",
    "WATCHBOT_DELETE_PAYLOADS",
    "WATCHBOT_ENDPOINT_URL",
    "WATCHBOT_SERVICE",
    "WATCHBOT_START_TIMEOUT_SECONDS",
    "WATCHBOT_TASK_CAPACITY",
    "WATCHBOT_TASK_DEFINITION",
    "WATCHBOT_TASK_LAUNCH_TYPE",
    "WATCHBOT_TASK_PAYLOAD_BUCKET",
    "WATCHBOT_TASK_PLACEMENT_CONSTRAINTS",
    "WATCHBOT_TASK_PLACEMENT_STRATEGIES",
    "WATCHBOT_TASK_PUBLIC_IP",
    "WATCHBOT_TASK_SECURITY_GROUPS",
    "WATCHBOT_TASK_SUBNETS",
    "WATCHBOT_VISIBILITY_TIMEOUT_SECONDS",
    "WATCHBOT_WATCHERS",
    "WATCHBOT_WORKERS",
    "WATCHBOT_WORK_TOPIC",
}

EVERYTHING = Settings(
    queue_url=QUEUE,
    dead_letter_queue_url=QUEUE + "-dead",
    max_receive_count=3,
    service="svc",
    workers=8,
    visibility_timeout_seconds=60,
    job_timeout_seconds=90,
    drain_seconds=15,
    backoff_base=1.5,
    backoff_cap_seconds=60,
    backoff_jitter=0.25,
    exit_codes=(("rejected", 99), ("dead_lettered", 5)),
    log_format=LogFormat.JSON,
    log_rate_bytes=4096,
    log_message_bodies=False,
    debug=True,
    payload_bucket="payloads",
    delete_payloads=True,
    endpoint_url="https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com",
    region="eu-west-1",
    endpoint_urls=(("s3", "https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com"),),
    dual_stack=True,
    fips=True,
    https_proxy="http://user:secret@proxy.internal:3128",
    no_proxy=("s3.eu-west-1.amazonaws.com", ".internal"),
    ca_certificate=AUTHORITY.pem,
    work_topic="arn:topic",
    log_group="group",
    progress_table="arn:aws:dynamodb:eu-west-1:123456789012:table/progress",
    hmac_secret="arn:secret",
    hmac_field="github",
    hmac_header="x-signature",
    hmac_scheme=HmacScheme.STRIPE,
    hmac_algorithm=HmacAlgorithm.SHA512,
    hmac_encoding=HmacEncoding.BASE64,
    hmac_prefix="v1=",
    hmac_tolerance_seconds=60,
    hmac_on_invalid=OnInvalid.DEAD_LETTER,
    notification_topic_arn="arn:notifications",
    cluster="cluster",
    task_definition="family:1",
    watchers=4,
    start_timeout_seconds=30,
    task_launch_type=LaunchType.EC2,
    task_capacity=(("gpu-spot", 3), ("gpu", 0)),
    task_placement_constraints=(
        {"type": "memberOf", "expression": "attribute:ecs.instance-type =~ g5.*"},
        {"type": "distinctInstance"},
    ),
    task_placement_strategies=({"type": "binpack", "field": "memory"},),
    task_payload_bucket="own",
    task_subnets=("subnet-1", "subnet-2"),
    task_security_groups=("sg-1",),
    task_public_ip=True,
)


def test_what_the_construct_writes_the_watcher_reads() -> None:
    assert Settings.from_env(EVERYTHING.to_env()) == EVERYTHING


def test_the_names_are_contract() -> None:
    assert set(EVERYTHING.to_env()) == NAMES == {field.metadata["name"] for field in dataclasses.fields(Settings)}


def test_the_settings_of_placement_are_text_that_a_person_can_read() -> None:
    written = EVERYTHING.to_env()
    assert written["WATCHBOT_TASK_CAPACITY"] == "gpu-spot=3,gpu=0"
    assert written["WATCHBOT_TASK_LAUNCH_TYPE"] == "ec2"
    assert written["WATCHBOT_TASK_PLACEMENT_STRATEGIES"] == '[{"type": "binpack", "field": "memory"}]'


def test_every_exit_code_can_be_switched_off() -> None:
    settings = Settings(queue_url=QUEUE, exit_codes=())
    assert settings.to_env()["WATCHBOT_EXIT_CODES"] == ""
    assert Settings.from_env(settings.to_env()) == settings


def test_only_the_queue_url_is_required_and_defaults_are_left_out() -> None:
    settings = Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE})
    assert settings == Settings(queue_url=QUEUE)
    assert settings.to_env() == {"WATCHBOT_CONTRACT_VERSION": str(VERSION), "WATCHBOT_QUEUE_URL": QUEUE}


def test_the_documented_defaults_hold() -> None:
    settings = Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE})
    assert settings.dead_letter_queue_url is None
    assert settings.workers == 1
    assert settings.visibility_timeout_seconds == 180
    assert settings.job_timeout_seconds == 0
    assert settings.drain_seconds == 105
    assert settings.exit_codes == (("rejected", 3), ("no_op", 4), ("dead_lettered", 5))
    assert settings.log_format is LogFormat.TEXT
    assert settings.log_message_bodies
    assert not settings.debug
    assert settings.notification_topic_arn is None
    assert settings.isolation is Isolation.PROCESS
    assert (settings.watchers, settings.start_timeout_seconds) == (1, 600)
    assert settings.task_launch_type is LaunchType.FARGATE


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("WATCHBOT_QUEUE_URL", "", "a URL"),
        ("WATCHBOT_QUEUE_URL", "jobs", "a URL"),
        ("WATCHBOT_QUEUE_URL", "http://", "names a host"),
        ("WATCHBOT_QUEUE_URL", "http://a b", "names a host"),
        ("WATCHBOT_WORKERS", "0", "a whole number from 1 to 1000"),
        ("WATCHBOT_WORKERS", "many", "a whole number from 1 to 1000"),
        ("WATCHBOT_VISIBILITY_TIMEOUT_SECONDS", "2", "from 3 to 43200"),
        ("WATCHBOT_JOB_TIMEOUT_SECONDS", "-1", "from 0"),
        ("WATCHBOT_DRAIN_SECONDS", "1.5", "a whole number"),
        ("WATCHBOT_LOG_FORMAT", "xml", "one of text, json"),
        ("WATCHBOT_EXIT_CODES", "rejected", "from 1 to 255"),
        ("WATCHBOT_EXIT_CODES", "rejected=0", "from 1 to 255"),
        ("WATCHBOT_EXIT_CODES", "rejected=256", "from 1 to 255"),
        ("WATCHBOT_EXIT_CODES", "failed=1", "outcomes with exit codes"),
        ("WATCHBOT_EXIT_CODES", "rejected=3,no_op=3", "outcomes with exit codes"),
        ("WATCHBOT_EXIT_CODES", "rejected=3,rejected=4", "outcomes with exit codes"),
        ("WATCHBOT_LOG_MESSAGE_BODIES", "no", "true or false"),
        ("WATCHBOT_DEBUG", "", "true or false"),
        ("WATCHBOT_BACKOFF_BASE", "nan", "a number from 1 to 60"),
        ("WATCHBOT_HMAC_SCHEME", "github", "one of body, stripe"),
        ("WATCHBOT_HMAC_ALGORITHM", "md5", "one of sha256, sha512"),
        ("WATCHBOT_HMAC_ENCODING", "binary", "one of hex, base64"),
        ("WATCHBOT_HMAC_ON_INVALID", "run", "one of drop, dead_letter"),
        ("WATCHBOT_HMAC_TOLERANCE_SECONDS", "0", "a whole number from 1 to 86400"),
        ("WATCHBOT_TASK_PUBLIC_IP", "yes", "true or false"),
        ("WATCHBOT_NOTIFICATION_TOPIC_ARN", "", "empty"),
        ("WATCHBOT_WATCHERS", "-1", "a whole number from 0 to 5000"),
        ("WATCHBOT_REGION", "Ireland", "such as eu-west-1"),
        ("WATCHBOT_DUAL_STACK", "1", "true or false"),
        ("WATCHBOT_ENDPOINT_URLS", "dynamodb=https://host", "of ecs, logs, s3, secretsmanager, sns, sqs"),
        ("WATCHBOT_ENDPOINT_URLS", "sqs=host", "a URL"),
        ("WATCHBOT_START_TIMEOUT_SECONDS", "0", "a whole number from 1 to 43200"),
        ("WATCHBOT_TASK_LAUNCH_TYPE", "lambda", "one of fargate, ec2"),
        ("WATCHBOT_TASK_CAPACITY", "FARGATE", "weights from 0 to 1000"),
        ("WATCHBOT_TASK_CAPACITY", "FARGATE=1001", "weights from 0 to 1000"),
        ("WATCHBOT_TASK_PLACEMENT_CONSTRAINTS", "distinctInstance", "a JSON list of objects"),
        ("WATCHBOT_TASK_PLACEMENT_STRATEGIES", '["random"]', "a JSON list of objects"),
    ],
)
def test_refuses_a_malformed_value_by_name_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE, name: value})
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(name)
    assert allowed in caught.value.problems[0]
    assert repr(value) in caught.value.problems[0]


@pytest.mark.parametrize(
    "value",
    ["proxy:3128", "http://:3128", "socks5://proxy", "http://user:hush@proxy:port", "http://user:hush@proxy/path"],
)
def test_refuses_what_is_no_proxy_and_does_not_show_it(value: str) -> None:
    with pytest.raises(SettingsError, match="WATCHBOT_HTTPS_PROXY must be the URL of a proxy") as caught:
        Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE, "WATCHBOT_HTTPS_PROXY": value})
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "hush",
        AUTHORITY.pem.replace("\n", " "),
        AUTHORITY.pem.replace("\n", "\\n"),
        AUTHORITY.pem[:200],
        "-----BEGIN CERTIFICATE-----\naHVzaA==\n-----END CERTIFICATE-----\n",
        "\u00e9",
    ],
)
def test_refuses_what_is_no_certificate_and_does_not_show_it(value: str) -> None:
    with pytest.raises(SettingsError, match="WATCHBOT_CA_CERTIFICATE must be certificates in PEM form") as caught:
        Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE, "WATCHBOT_CA_CERTIFICATE": value})
    assert f"got {len(value)} characters" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_comments_between_certificates_may_hold_anything() -> None:
    pem = f"# Grüße\n{AUTHORITY.pem}\n# Ende\n{AUTHORITY.pem}"
    found = Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE, "WATCHBOT_CA_CERTIFICATE": pem})
    assert found.ca_certificate == pem


def test_a_log_shows_neither_a_proxys_password_nor_certificates() -> None:
    shown = EVERYTHING.to_log()
    assert shown.keys() == EVERYTHING.to_env().keys()
    assert not [text for text in shown.values() if "secret@" in text or "CERTIFICATE" in text]


def test_refuses_everything_that_is_wrong_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"WATCHBOT_WORKER": "3", "WATCHBOT_LOG_FORMAT": "xml", "WATCHBOT_CLUSTER": "c"})
    assert [problem.split()[0] for problem in caught.value.problems] == [
        "WATCHBOT_QUEUE_URL",
        "WATCHBOT_LOG_FORMAT",
        "WATCHBOT_CLUSTER",
        "WATCHBOT_WORKER",
    ]
    assert "did you mean WATCHBOT_WORKERS" in caught.value.problems[-1]


@pytest.mark.parametrize(("one", "other"), [("HMAC_SECRET", "HMAC_HEADER"), ("CLUSTER", "TASK_DEFINITION")])
def test_refuses_half_of_what_goes_together(one: str, other: str) -> None:
    for name in (one, other):
        with pytest.raises(SettingsError, match=f"WATCHBOT_{one} and WATCHBOT_{other} go together"):
            Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE, f"WATCHBOT_{name}": "x"})


def test_refuses_to_delete_payloads_that_there_are_none_of() -> None:
    with pytest.raises(SettingsError, match="WATCHBOT_DELETE_PAYLOADS needs WATCHBOT_PAYLOAD_BUCKET"):
        Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE, "WATCHBOT_DELETE_PAYLOADS": "true"})


def test_refuses_another_contract_version_in_a_sentence() -> None:
    with pytest.raises(SettingsError, match="speaks contract version 7 and this program version 1"):
        Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE, "WATCHBOT_CONTRACT_VERSION": "7"})


def test_a_users_shadowed_variables_are_no_settings() -> None:
    Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE, "WATCHBOT_WORKER_ENV_AWS_PROFILE": "x"})


@pytest.mark.parametrize("name", ["WATCHBOT_X", "Message", "MessageId", "ProgressTable", "TRACEPARENT"])
def test_names_of_ours_are_reserved(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["AWS_PROFILE", "LD_PRELOAD", "PYTHONHOME", "https_proxy", "NO_PROXY"])
def test_names_that_would_steer_the_watcher_are_shadowed(name: str) -> None:
    assert is_shadowed(name)
    assert not is_reserved(name)


DESCRIPTION = Description(
    service="svc",
    isolation=Isolation.TASK,
    topic_arn="arn:topic",
    queue_url=QUEUE,
    dead_letter_queue_url=QUEUE + "-dead",
    log_group="group",
    cluster="cluster",
    ecs_service="service",
    task_definition="arn:watcher",
    worker_task_definition="arn:worker",
)


def test_a_description_survives_its_stack_output() -> None:
    assert Description.from_json(json.dumps(DESCRIPTION.to_dict())) == DESCRIPTION
    assert Description.from_json(json.dumps({**DESCRIPTION.to_dict(), "later": [1]})) == DESCRIPTION


def test_a_description_names_the_progress_table_if_there_is_one() -> None:
    assert "progress_table" not in DESCRIPTION.to_dict()
    counting = dataclasses.replace(DESCRIPTION, progress_table="arn:table")
    assert Description.from_json(json.dumps(counting.to_dict())) == counting


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no json", "not a Watchbot's description"),
        ("[]", "not a Watchbot's description"),
        ('{"version": 9}', "the stack speaks contract version 9"),
        ('{"version": 1}', "lacks cluster, dead_letter_queue_url"),
        ("[" * 100_000, "not a Watchbot's description"),
        (json.dumps({**DESCRIPTION.to_dict(), "queue_url": 5}), "has the queue_url 5, which is no text"),
        (json.dumps({**DESCRIPTION.to_dict(), "log_group": None}), "has the log_group None, which is no text"),
        (
            json.dumps({**DESCRIPTION.to_dict(), "isolation": "handler"}),
            "has the isolation 'handler', and this program knows task, process: it was deployed with a newer release",
        ),
    ],
    ids=lambda value: value[:40],
)
def test_refuses_an_output_that_is_no_description(text: str, problem: str) -> None:
    with pytest.raises(DescriptionError, match=problem):
        Description.from_json(text)


def test_a_watcher_where_a_parameter_says_there_are_none_has_all_that_the_account_is_allowed() -> None:
    assert Settings.from_env({"WATCHBOT_QUEUE_URL": QUEUE, "WATCHBOT_WATCHERS": "0"}).watchers == 1
