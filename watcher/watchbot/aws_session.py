"""Where the watcher's AWS clients get their Region, endpoints and credentials from."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Mapping, MutableMapping
from typing import Any

import boto3
import botocore.config
import botocore.session
from botocore.credentials import ContainerProvider, RefreshableCredentials
from botocore.exceptions import BotoCoreError, CredentialRetrievalError, HTTPClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session, get_cert_path
from botocore.utils import ContainerMetadataFetcher

from watchbot.contract import Settings, SettingsError
from watchbot.deadline import CallTimeoutError, hold_to_deadlines, within
from watchbot.direct_hosts import DirectHosts
from watchbot.late_credentials import LateCredentials
from watchbot.region import region_of
from watchbot.trusted_certificates import TrustedCertificates


def in_ecs(environment: Mapping[str, str]) -> bool:
    """Whether this process runs in a container that ECS has started."""
    return "ECS_CONTAINER_METADATA_URI_V4" in environment


_KEPT = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)
"""What ECS sets: the role of a task, and its Region.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
"""

_CREDENTIALS_SECONDS = 30.0

_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def leave_to_worker(environment: MutableMapping[str, str]) -> None:
    """Take everything out of an environment that would lead an AWS client elsewhere than the task's own role.

    In ECS worker and watcher may share a container. Its account, profile, endpoint, proxy and certificates are the
    worker's business, who gets them from the environment that the container was started with.
    """
    for name in list(environment):
        is_clients = name.startswith("AWS_") and name not in _KEPT
        if is_clients or name in _CERTIFICATES or name.lower().endswith("_proxy"):
            del environment[name]
    environment["AWS_CONFIG_FILE"] = os.devnull
    environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    # A task on EC2 without a role of its own must not act as the instance it runs on.
    environment["AWS_EC2_METADATA_DISABLED"] = "true"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The settings about how AWS is reached, with :class:`~watchbot.contract.Settings`' meaning."""

    region: str | None = None
    endpoint_urls: tuple[tuple[str, str], ...] = ()
    dual_stack: bool = False
    fips: bool = False
    https_proxy: str | None = None
    no_proxy: tuple[str, ...] = ()
    ca_certificate: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Connection:
        """Take what is about the connection out of all settings."""
        return cls(**{field.name: getattr(settings, field.name) for field in dataclasses.fields(cls)})


class AwsAccess:
    """Makes clients of AWS services for one Region.

    An endpoint URL is the watcher's own setting. Without one, ``AWS_ENDPOINT_URL`` and its kind count outside ECS,
    whatever the queue URL's host, so that a queue of an emulator can be worked on. In ECS they are the worker's.

    With an endpoint URL and no Region, requests are signed for us-east-1: emulators need one, and take any.

    Credentials are retrieved by the first call, and again by later ones while they cannot be. botocore retrieves those
    of a container without a proxy, whatever the settings.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        queue_url: str,
        endpoint_url: str | None = None,
        connection: Connection | None = None,
    ) -> None:
        self._connection = Connection() if connection is None else connection
        self._outside = {} if in_ecs(environment) else environment
        self._endpoint_url = self._outside.get("AWS_ENDPOINT_URL") if endpoint_url is None else endpoint_url
        region = region_of(self._connection.region, environment, queue_url, in_ecs=in_ecs(environment))
        self._region = region or ("us-east-1" if self._own_endpoint("sqs") else None)
        pem = self._connection.ca_certificate
        self._verify = None if pem is None else TrustedCertificates(pem).path
        self._is_checked = False
        self._session, self._credentials = self._new_session()

    def has_own_endpoint(self, service: str) -> bool:
        """Whether a service is called at a URL that somebody has set: an emulator's, or that of a VPC endpoint."""
        return self._own_endpoint(service) is not None or f"AWS_ENDPOINT_URL_{service.upper()}" in self._outside

    def renew(self, seconds: int) -> bool:
        """Replace credentials that end within this time; True when clients made before have the older ones.

        Raises CredentialRetrievalError while they cannot be retrieved.
        """
        try:
            credentials = self._credentials.found()
        except NoCredentialsError:
            return False
        if not isinstance(credentials, RefreshableCredentials) or not credentials.refresh_needed(seconds):
            return False
        self._session, self._credentials = self._new_session()
        return True

    def client(self, service: str, config: botocore.config.Config) -> Any:
        """Make a client of this service; raises :class:`SettingsError` when the environment allows none."""
        endpoint_url = self._own_endpoint(service)
        config = config.merge(self._reaching(endpoint_url))
        try:
            self._check_credentials()
            client = self._session.client(service, endpoint_url=endpoint_url, config=config, verify=self._verify)
        except (BotoCoreError, ValueError) as error:
            raise SettingsError((f"no client of AWS {service} can be made of this environment: {error}",)) from error
        hold_to_deadlines(client._endpoint.http_session)  # noqa: SLF001 - botocore shows it to no caller
        if self._connection.no_proxy and self._connection.https_proxy is not None:
            direct = DirectHosts(self._connection.no_proxy, config, self._verify)
            client.meta.events.register("before-send", direct)
        return client

    def _own_endpoint(self, service: str) -> str | None:
        return dict(self._connection.endpoint_urls).get(service, self._endpoint_url)

    def _reaching(self, endpoint_url: str | None) -> botocore.config.Config:
        """Turn the connection into botocore's terms; an endpoint URL stands for itself, dual-stack, FIPS or neither."""
        options: dict[str, Any] = {}
        if endpoint_url is None and self._connection.dual_stack:
            options["use_dualstack_endpoint"] = True
        if endpoint_url is None and self._connection.fips:
            options["use_fips_endpoint"] = True
        if self._connection.https_proxy is not None:
            options["proxies"] = {"https": self._connection.https_proxy}
            # For a proxy that is itself spoken to over TLS; the system's own certificates may not be there.
            options["proxies_config"] = {"proxy_ca_bundle": self._verify or get_cert_path(True)}
        return botocore.config.Config(**options)

    def _check_credentials(self) -> None:
        """Look for credentials once, and refuse what no time heals, such as half of a key.

        An endpoint that does not give them now may do so later: the first call waits for that, and those after it.
        """
        if self._is_checked:
            return
        self._is_checked = True
        unavailable = contextlib.suppress(
            CallTimeoutError, HTTPClientError, CredentialRetrievalError, NoCredentialsError
        )
        with unavailable, within(_CREDENTIALS_SECONDS):
            self._credentials.found()

    def _new_session(self) -> tuple[Any, LateCredentials]:
        try:
            core: Any = botocore.session.get_session()
            provider = core.get_component("credential_provider")
            _hold_to_deadlines(provider)
            credentials = LateCredentials(provider)
            core.register_component("credential_provider", credentials)
            return boto3.session.Session(region_name=self._region, botocore_session=core), credentials
        except BotoCoreError as error:
            raise SettingsError((f"no AWS session can be made of this environment: {error}",)) from error


def _hold_to_deadlines(resolver: Any) -> None:
    """Fetch the role's credentials, which happens within a call, over connections that its deadline can shut down."""
    for number, provider in enumerate(resolver.providers):
        if provider.METHOD == ContainerProvider.METHOD:
            http_session = URLLib3Session(timeout=ContainerMetadataFetcher.TIMEOUT_SECONDS)
            hold_to_deadlines(http_session)
            fetcher: Any = ContainerMetadataFetcher(session=http_session)
            resolver.providers[number] = ContainerProvider(fetcher=fetcher)
