"""Where the watcher's AWS clients get their region and endpoint from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.config

_REGION_IN_URL = re.compile(r"https?://sqs\.([a-z0-9-]+)\.amazonaws\.com")


def in_ecs(environment: Mapping[str, str]) -> bool:
    """Whether this process runs in a container that ECS has started."""
    return "ECS_CONTAINER_METADATA_URI_V4" in environment


class AwsAccess:
    """Makes the session and names the endpoint.

    Outside ECS ``AWS_ENDPOINT_URL`` is honoured whatever the queue URL's host, so that a queue of an emulator can be
    worked on; in ECS it would be the worker's business and is not read. The region is the environment's, else the
    one in the queue's URL, else, with an endpoint of one's own, one that signing needs but nobody reads.
    """

    def __init__(self, environment: Mapping[str, str], queue_url: str) -> None:
        self._endpoint_url = None if in_ecs(environment) else environment.get("AWS_ENDPOINT_URL")
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
        in_url = _REGION_IN_URL.match(queue_url)
        if not region and in_url:
            region = in_url[1]
        if not region and self._endpoint_url:
            region = "us-east-1"
        self._session: Any = boto3.session.Session(region_name=region or None)

    def client(self, service: str, config: botocore.config.Config) -> Any:
        """Make a client of this service."""
        return self._session.client(service, endpoint_url=self._endpoint_url, config=config)
