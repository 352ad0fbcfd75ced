"""Clients of AWS for the person at the keyboard, who waits for seconds and no longer."""

from __future__ import annotations

import os
from typing import Any

import boto3
import botocore.session
from botocore import exceptions
from botocore.config import Config

from watchbot_cli.errors import UsageError
from watchbot_cli.options import Target

_ATTEMPTS = 5
"""Of a call that AWS throttles."""

_UNANSWERED_ATTEMPTS = 2
"""Of a call that gets no answer: a service that hangs costs twice the time below, not five times."""

_CONNECT_SECONDS = 3
_READ_SECONDS = 8
_UNANSWERED = (exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError)


class Session:
    """The region and credentials that a command was given; everything else comes from AWS's own settings.

    ``AWS_REGION`` goes before ``AWS_DEFAULT_REGION``, as for AWS's other tools, though boto3 reads the second alone:
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html.
    """

    def __init__(self, target: Target) -> None:
        wanted = target.region or os.environ.get("AWS_REGION")
        self._session = patient_session(profile=target.profile, region=wanted)
        region = self._session.region_name
        if not region:
            raise UsageError("no region is known: name it with --region, or set AWS_REGION")
        self.region: str = region
        self.profile = target.profile or os.environ.get("AWS_PROFILE")

    def client(self, service: str, *, connections: int = 10) -> Any:
        """Make a client that tries again what AWS throttles, and that so many threads may share."""
        return self._session.client(service, config=Config(max_pool_connections=connections))


def patient_session(*, profile: str | None = None, region: str | None = None) -> Any:
    """Make a session of boto3 whose every client waits for seconds alone, those that fetch credentials included.

    https://docs.aws.amazon.com/botocore/latest/reference/config.html
    """
    core = botocore.session.Session()
    core.set_default_client_config(
        Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            user_agent_extra="watchbot",
        )
    )
    core.register("response-received", _count_unanswered)
    core.register("request-created", _give_up)
    return boto3.session.Session(botocore_session=core, profile_name=profile, region_name=region)


_COUNT = "watchbot_unanswered"


def _count_unanswered(**event: Any) -> None:
    """Note in a call's context each attempt that got no answer."""
    context, error = event["context"], event["exception"]
    if isinstance(error, _UNANSWERED):
        context[_COUNT] = [*context.get(_COUNT, ()), error]


def _give_up(**event: Any) -> None:
    """Raise what the attempts before have come to, instead of making one more."""
    unanswered = event["request"].context.get(_COUNT, ())
    if len(unanswered) >= _UNANSWERED_ATTEMPTS:
        raise unanswered[-1]
