"""What a webhook was asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.headers import attribute_of, header_kinds, header_problems
from watchbot_cdk.hmac import Hmac
from watchbot_cdk.problems import between_problems, kind_problems, whole_problems

_MOST_HEADERS = 7
"""SQS takes ten attributes: one is the time of the request, two are those that a dead letter has besides."""

_HIGHEST_RATE = 10_000
_HIGHEST_BURST = 5_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Webhook:
    """A public address to which others POST what is to be worked on; API Gateway puts it straight into the queue.

    The body is the worker's message, as it is. Callers either have an API key or sign; exactly one is needed. A caller
    that cannot send ``x-api-key``, as GitHub and Stripe, signs.

    :param api_key: callers need the key that is in ``webhook_key``, as the header ``x-api-key``.
    :param hmac: callers sign with a shared secret, and the watcher checks it before any worker runs.
    :param headers: of the request that the worker is told in ``MessageAttributes``, by their lower-case names; with
        those of ``hmac`` at most 7.
    :param throttling_rate_limit: requests a second that are taken; the others are answered with 429.
    :param throttling_burst_limit: requests that are taken at once.
    :param waf: the ARN of a regional web ACL of AWS WAF that looks at requests first; none by default.
    :param access_logs: write a line for each request to a log group of the webhook's own, kept as long as the others.
    :param cloud_watch_role: give API Gateway the role without which it writes no logs. There is one for each account
        and region: it replaces any other, and is kept when the stack goes. False where somebody sets it already.
    """

    api_key: bool = False
    hmac: Hmac | None = None
    headers: Sequence[str] = ()
    throttling_rate_limit: float = 50
    throttling_burst_limit: float = 200
    waf: str | None = None
    access_logs: bool = True
    cloud_watch_role: bool = True

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that headers become, each once, the signature first."""
        signed = () if self.hmac is None else (self.hmac.header, *self.hmac.headers)
        return tuple(dict.fromkeys(map(attribute_of, (*signed, *self.headers))))

    def kinds(self) -> Iterable[str]:
        """Say which arguments are of another kind."""
        yield from kind_problems("webhook api_key", self.api_key, bool)
        yield from kind_problems("webhook hmac", self.hmac, Hmac, optional=True)
        yield from kind_problems("webhook waf", self.waf, str, optional=True)
        yield from kind_problems("webhook access_logs", self.access_logs, bool)
        yield from kind_problems("webhook cloud_watch_role", self.cloud_watch_role, bool)
        yield from header_kinds("webhook headers", self.headers)
        if isinstance(self.hmac, Hmac):
            yield from self.hmac.kinds()

    def problems(self) -> Iterable[str]:
        """Say what cannot be, of arguments of the right kinds."""
        if self.api_key and self.hmac is not None:
            yield "webhook must have an api_key or hmac, got both: callers that sign need no key"
        if not self.api_key and self.hmac is None:
            yield "webhook must have an api_key or hmac, got neither: anybody could start workers"
        yield from header_problems("webhook headers", self.headers)
        if self.hmac is not None:
            yield from self.hmac.problems()
        if len(self.attributes) > _MOST_HEADERS:
            yield f"webhook headers must be at most {_MOST_HEADERS} with those of hmac, got {len(self.attributes)}"
        yield from between_problems("webhook throttling_rate_limit", self.throttling_rate_limit, 0, _HIGHEST_RATE)
        yield from whole_problems("webhook throttling_burst_limit", self.throttling_burst_limit, 0, _HIGHEST_BURST)
        if self.waf is not None and not is_deploy_time(self.waf) and not self.waf.startswith("arn:"):
            yield f"webhook waf must be the ARN of a web ACL, got {self.waf!r}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ingress:
    """The arguments of a Watchbot that let callers in who are no part of AWS."""

    webhook: Webhook | None
    publisher_user: bool

    def kinds(self) -> Iterable[str]:
        """Say which arguments are of another kind."""
        yield from kind_problems("webhook", self.webhook, Webhook, optional=True)
        yield from kind_problems("publisher_user", self.publisher_user, bool)
        if isinstance(self.webhook, Webhook):
            yield from self.webhook.kinds()

    def problems(self) -> Iterable[str]:
        """Say what cannot be, of arguments of the right kinds."""
        if self.webhook is not None:
            yield from self.webhook.problems()
