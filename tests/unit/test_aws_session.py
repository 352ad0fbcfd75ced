from __future__ import annotations

import asyncio
import datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.config
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import HTTPClientError, MetadataRetrievalError
from botocore.httpsession import URLLib3Session
from botocore.utils import ContainerMetadataFetcher

from watchbot.aws_session import AwsAccess, Connection
from watchbot.contract import AWS_SERVICES, SettingsError
from watchbot.direct_hosts import DirectHosts
from watchbot.payload import Pointer
from watchbot.payload_store import BotoPayloads, PayloadError
from watchbot.sqs import BotoSqs, SqsError

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"


def test_a_profile_that_does_not_exist_is_a_problem_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")
    with pytest.raises(SettingsError, match="nope"):
        AwsAccess({}, QUEUE)


def _access(monkeypatch: pytest.MonkeyPatch, credentials: object) -> AwsAccess:
    access = AwsAccess({}, QUEUE)
    monkeypatch.setattr(access._credentials._provider, "load_credentials", lambda: credentials)
    return access


def _ending_in(seconds: int) -> RefreshableCredentials:
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)

    def refresh() -> dict[str, str]:
        raise AssertionError("the session that is given up need not refresh its credentials")

    return RefreshableCredentials("id", "secret", "token", ends, refresh, "container-role")


def test_credentials_that_end_too_soon_are_got_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL is good for only as long as the credentials that signed it."""
    access = _access(monkeypatch, _ending_in(2399))
    before = access._session
    assert access.renew(2400)
    assert access._session is not before
    client = access.client("s3", botocore.config.Config())
    assert client.meta.region_name == "eu-west-1"


def test_credentials_that_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    access = _access(monkeypatch, _ending_in(2500))
    before = access._session
    assert not access.renew(2400)
    assert access._session is before


@pytest.mark.parametrize("credentials", [None, Credentials("id", "secret")])
def test_credentials_without_an_end_are_kept(monkeypatch: pytest.MonkeyPatch, credentials: Credentials | None) -> None:
    access = _access(monkeypatch, credentials)
    before = access._session
    assert not access.renew(2400)
    assert access._session is before


IN_ECS = {"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/x"}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "ecs": ("list_tasks", {}),
    "logs": ("get_log_events", {"logGroupName": "g", "logStreamName": "s"}),
    "s3": ("get_object", {"Bucket": "my-bucket", "Key": "k"}),
    "secretsmanager": ("get_secret_value", {"SecretId": "s"}),
    "sns": ("publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "m"}),
    "sqs": ("receive_message", {"QueueUrl": QUEUE}),
}


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def _called(access: AwsAccess, service: str) -> str:
    """Give the host that a request would go to; nothing is sent."""
    hosts: list[str] = []

    def send(request: Any, **_: object) -> Any:
        hosts.append(urlsplit(request.url).hostname or "")
        raise HTTPClientError(error="nothing is sent")

    client = access.client(service, botocore.config.Config(retries={"total_max_attempts": 1}))
    client.meta.events.register("before-send", send)
    operation, arguments = CALLS[service]
    with pytest.raises(HTTPClientError):
        getattr(client, operation)(**arguments)
    return hosts[0]


def _reached(queue_url: str, **told: Any) -> AwsAccess:
    return AwsAccess(IN_ECS, queue_url, None, Connection(**told))


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("eu-west-1", "amazonaws.com"),
        ("il-central-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("us-gov-west-1", "amazonaws.com"),
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
        ("eusc-de-east-1", "amazonaws.eu"),
    ],
)
def test_calls_go_to_the_partition_of_the_region_whatever_the_queues_host(region: str, suffix: str) -> None:
    access = _reached("https://queue.example/1/q", region=region)
    assert _called(access, "sqs") == f"sqs.{region}.{suffix}"


@pytest.mark.usefixtures("key")
def test_dual_stack_and_fips_are_those_of_every_service() -> None:
    """The endpoint of Secrets Manager is dual-stack as it is.

    https://docs.aws.amazon.com/general/latest/gr/asm.html
    """
    dual = _reached(QUEUE, region="us-east-1", dual_stack=True)
    fips = _reached(QUEUE, region="us-east-1", fips=True)
    both = _reached(QUEUE, region="us-east-1", fips=True, dual_stack=True)
    assert {service: [_called(one, service) for one in (dual, fips, both)] for service in AWS_SERVICES} == {
        **{
            service: [
                f"{service}.us-east-1.api.aws",
                f"{service}-fips.us-east-1.amazonaws.com",
                f"{service}-fips.us-east-1.api.aws",
            ]
            for service in ("ecs", "logs", "sns", "sqs")
        },
        "s3": [
            "my-bucket.s3.dualstack.us-east-1.amazonaws.com",
            "my-bucket.s3-fips.us-east-1.amazonaws.com",
            "my-bucket.s3-fips.dualstack.us-east-1.amazonaws.com",
        ],
        "secretsmanager": [
            "secretsmanager.us-east-1.amazonaws.com",
            "secretsmanager-fips.us-east-1.amazonaws.com",
            "secretsmanager-fips.us-east-1.amazonaws.com",
        ],
    }


@pytest.mark.usefixtures("key")
def test_a_service_with_an_endpoint_of_its_own_goes_there_and_the_others_do_not() -> None:
    endpoints = (("sqs", "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com"),)
    access = _reached(QUEUE, endpoint_urls=endpoints, fips=True, dual_stack=True)
    assert _called(access, "sqs") == "vpce-1.sqs.eu-west-1.vpce.amazonaws.com"
    assert _called(access, "ecs") == "ecs-fips.eu-west-1.api.aws"


def _endpoint_of_credentials(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> list[Any]:
    """Have the credentials endpoint give these answers, without its pauses; gives those that are left."""
    left = list(answers)

    def retrieve(fetcher: ContainerMetadataFetcher, full_url: str, headers: object = None) -> Any:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(ContainerMetadataFetcher, "retrieve_full_uri", retrieve)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/role")
    return left


ROLE = {"AccessKeyId": "id", "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}


def test_credentials_that_fail_at_the_start_are_looked_for_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = MetadataRetrievalError(error_msg="500")
    left = _endpoint_of_credentials(monkeypatch, trouble, trouble, ROLE)
    answered: Any = AWSResponse
    wire = BotoSqs(QUEUE, 180, 1, AwsAccess(IN_ECS, QUEUE))
    for client in (wire._poller, wire._caller):
        client.meta.events.register("before-send", lambda **_: answered(QUEUE, 200, {}, _Body(b"{}")))
    with pytest.raises(SqsError, match="credentials"):
        asyncio.run(wire.receive(1))
    assert asyncio.run(wire.receive(1)) == []
    assert not left
    wire.close()


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> list[bytes]:
        return [self._content]


def test_half_of_a_key_is_a_problem_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    with pytest.raises(SettingsError, match="AWS_SECRET_ACCESS_KEY"):
        AwsAccess({}, QUEUE).client("sqs", botocore.config.Config())


def test_a_renewal_that_fails_leaves_an_error_that_another_try_may_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    left = _endpoint_of_credentials(
        monkeypatch,
        {**ROLE, "Expiration": "2020-01-01T00:00:00Z"},
        MetadataRetrievalError(error_msg="500"),
        ROLE,
    )
    payloads = BotoPayloads(AwsAccess(IN_ECS, QUEUE), 600)
    with pytest.raises(PayloadError, match="500"):
        asyncio.run(payloads.sign(Pointer("bucket", "key")))
    assert asyncio.run(payloads.sign(Pointer("bucket", "key"))).startswith("https://")
    assert not left


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-south-1", "s3.eu-south-1.amazonaws.com"),
        ("il-central-1", "s3.il-central-1.amazonaws.com"),
        ("us-east-1", "s3.us-east-1.amazonaws.com"),
        ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "s3.us-gov-west-1.amazonaws.com"),
        ("us-iso-east-1", "s3.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", "s3.us-isob-east-1.sc2s.sgov.gov"),
        ("eusc-de-east-1", "s3.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_a_presigned_url_names_the_regions_host(region: str, host: str) -> None:
    """Also in Regions that an account has to switch on, which the global host does not know."""
    payloads = BotoPayloads(_reached(QUEUE, region=region), 600)
    assert _signed(payloads, "my-bucket").startswith(f"https://my-bucket.{host}/key?")
    # A wildcard certificate covers no name with more dots.
    assert _signed(payloads, "my.bucket").startswith(f"https://{host}/my.bucket/key?")


@pytest.mark.usefixtures("key")
def test_a_presigned_url_is_dual_stack_or_fips_where_calls_are() -> None:
    payloads = BotoPayloads(_reached(QUEUE, region="us-west-2", dual_stack=True, fips=True), 600)
    assert _signed(payloads, "my-bucket").startswith("https://my-bucket.s3-fips.dualstack.us-west-2.amazonaws.com/key?")


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_an_emulators_presigned_url_has_the_bucket_in_its_path(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://localhost:4566")
    payloads = BotoPayloads(AwsAccess({name: "http://localhost:4566"}, QUEUE), 600)
    assert _signed(payloads, "my-bucket").startswith("http://localhost:4566/my-bucket/key?")


def _signed(payloads: BotoPayloads, bucket: str) -> str:
    return asyncio.run(payloads.sign(Pointer(bucket, "key")))


@pytest.mark.parametrize(
    ("names", "host", "is_direct"),
    [
        (("s3.eu-west-1.amazonaws.com",), "my-bucket.s3.eu-west-1.amazonaws.com", True),
        ((".s3.eu-west-1.amazonaws.com",), "s3.eu-west-1.amazonaws.com", True),
        (("*.Internal",), "sqs.internal", True),
        (("my-bucket.s3.eu-west-1.amazonaws.com",), "my-bucket.s3.eu-west-1.amazonaws.com", True),
        (("my-bucket.s3.eu-west-1.amazonaws.com",), "s3.eu-west-1.amazonaws.com", False),
        (("nal", "internal.example"), "sqs.internal", False),
        (("*",), "sqs.eu-west-1.amazonaws.com", True),
        (("::1",), "[::1]", True),
    ],
)
def test_a_host_without_the_proxy_is_one_of_the_names_or_below_it(
    names: tuple[str, ...], host: str, is_direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(URLLib3Session, "send", lambda _, request: "answered")
    direct = DirectHosts(names, botocore.config.Config(), None)
    answer = direct(AWSRequest("GET", f"https://{host}/key").prepare(), operation="x")
    assert answer == ("answered" if is_direct else None)
