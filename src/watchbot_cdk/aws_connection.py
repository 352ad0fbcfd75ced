"""The connection of a watcher to AWS: endpoints, proxy and certificates."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from aws_cdk import aws_ecs as ecs

from watchbot.contract import AWS_SERVICES, CA_CERTIFICATE_VARIABLE, HTTPS_PROXY_VARIABLE, is_proxy_url
from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.problems import is_list_of, is_map_to, kind_problems, shown

_FIPS_REGION = re.compile(r"(us|ca)-.*")
"""Regions that have FIPS endpoints at all. https://aws.amazon.com/compliance/fips/"""

_HOST = re.compile(r"\*|(\*?\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f:]*:[0-9A-Fa-f:]+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AwsConnection:
    """How a watcher reaches AWS; the defaults are AWS's public endpoints, called directly.

    It is about the watcher's own calls alone: of SQS, ECS, S3, SNS, Secrets Manager and CloudWatch Logs. Workers have
    their own environment, and ECS pulls images, reads secrets and writes logs in its own way.

    :param dual_stack: call the endpoints that have IPv6 addresses too, for subnets without IPv4.
        https://docs.aws.amazon.com/general/latest/gr/rande.html#dual-stack-endpoints
    :param fips: call the endpoints with FIPS 140 validated cryptography, which are in Regions of the US and Canada.
        https://aws.amazon.com/compliance/fips/
    :param https_proxy: the URL of a proxy that calls go through, such as ``http://proxy.internal:3128``. One with user
        and password is a secret. ECS's own endpoints, for credentials and scale-in protection, are always called
        directly.
    :param no_proxy: hosts and domains that are called without the proxy, such as those of VPC endpoints.
    :param ca_certificate: certificates of a private authority in PEM form, which are trusted besides the public ones.
    :param endpoint_urls: URLs to call single services at, by their names in boto3 (``sqs``, ``ecs``, ``s3``, ``sns``,
        ``secretsmanager``, ``logs``): those of VPC endpoints without private DNS.
    """

    dual_stack: bool = False
    fips: bool = False
    https_proxy: str | ecs.Secret | None = None
    no_proxy: Sequence[str] = ()
    ca_certificate: ecs.Secret | None = None
    endpoint_urls: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def kinds(self) -> Iterable[str]:
        """Yield a problem for each argument of another kind."""
        yield from kind_problems("aws_connection dual_stack", self.dual_stack, bool)
        yield from kind_problems("aws_connection fips", self.fips, bool)
        proxy: object = self.https_proxy
        if not (proxy is None or isinstance(proxy, str | ecs.Secret)):
            kind = type(proxy).__name__
            yield f"aws_connection https_proxy must be a URL, an ecs.Secret or None, got a {kind}"
        if not is_list_of(str, self.no_proxy):
            yield f"aws_connection no_proxy must be a list of hosts, got {self.no_proxy!r}"
        certificate: object = self.ca_certificate
        if not (certificate is None or isinstance(certificate, ecs.Secret)):
            kind = type(certificate).__name__
            yield f"aws_connection ca_certificate must be an ecs.Secret with certificates in PEM form, got a {kind}"
        if not is_map_to(str, self.endpoint_urls):
            yield f"aws_connection endpoint_urls must map services to URLs, got {shown(self.endpoint_urls)}"

    def problems(self, region: str) -> Iterable[str]:
        """Yield the problems in this Region of arguments of the right kinds."""
        if self.fips and not is_deploy_time(region) and not _FIPS_REGION.fullmatch(region):
            yield f"aws_connection fips needs a Region with FIPS endpoints, in the US or Canada, got {region}"
        yield from self._proxy_problems()
        for service, url in self.endpoint_urls.items():
            if service not in AWS_SERVICES:
                yield f"aws_connection endpoint_urls must be of {', '.join(AWS_SERVICES)}, got {service!r}"
            if not is_deploy_time(url) and not _is_endpoint(url):
                yield f"aws_connection endpoint_urls {service} must be a URL such as https://vpce-….com, got {url!r}"

    def _proxy_problems(self) -> Iterable[str]:
        proxy = self.https_proxy
        if isinstance(proxy, str) and not is_deploy_time(proxy):
            if "@" in proxy:
                yield (
                    "aws_connection https_proxy must be an ecs.Secret if it has a user or password, got it as text, "
                    "which anyone who may see the task definition could read"
                )
            elif not is_proxy_url(proxy):
                yield f"aws_connection https_proxy must be a URL such as http://proxy.internal:3128, got {proxy!r}"
        if self.no_proxy and proxy is None:
            yield "aws_connection no_proxy needs an https_proxy, got none"
        for host in self.no_proxy:
            if not is_deploy_time(host) and not _HOST.fullmatch(host):
                yield f"aws_connection no_proxy must be hosts or domains such as .internal, got {host!r}"

    def settings(self) -> dict[str, Any]:
        """Give the watcher's settings that are no secrets."""
        return {
            "dual_stack": self.dual_stack,
            "fips": self.fips,
            "https_proxy": self.https_proxy if isinstance(self.https_proxy, str) else None,
            "no_proxy": tuple(self.no_proxy),
            "endpoint_urls": tuple(self.endpoint_urls.items()),
        }

    def secrets(self) -> dict[str, ecs.Secret]:
        """Give the watcher's settings that ECS reads from secrets."""
        secrets = {HTTPS_PROXY_VARIABLE: self.https_proxy, CA_CERTIFICATE_VARIABLE: self.ca_certificate}
        return {name: secret for name, secret in secrets.items() if isinstance(secret, ecs.Secret)}


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and not re.search(r"[\s,]", url)
