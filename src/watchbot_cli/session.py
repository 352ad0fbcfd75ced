"""Clients of AWS for the person at the keyboard."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.config import Config

from watchbot_cli.errors import UsageError
from watchbot_cli.options import Target

_ATTEMPTS = 5
_CONNECT_SECONDS = 5
_READ_SECONDS = 30


class Session:
    """The region and credentials that a command was given; everything else comes from AWS's own settings.

    ``AWS_REGION`` goes before ``AWS_DEFAULT_REGION``, as for AWS's other tools, though boto3 reads the second alone:
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html.
    """

    def __init__(self, target: Target) -> None:
        wanted = target.region or os.environ.get("AWS_REGION")
        self._session: Any = boto3.session.Session(profile_name=target.profile, region_name=wanted)
        region = self._session.region_name
        if not region:
            raise UsageError("no region is known: name it with --region, or set AWS_REGION")
        self.region: str = region

    def client(self, service: str, *, connections: int = 10) -> Any:
        """Make a client that tries again what AWS throttles, and that so many threads may share."""
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=connections,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            user_agent_extra="watchbot",
        )
        return self._session.client(service, config=config)
