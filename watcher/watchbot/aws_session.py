"""Where the watcher's AWS clients get their region and endpoint from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import boto3
import botocore.config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError

from watchbot.contract import SettingsError

_REGION_IN_URL = re.compile(r"https?://sqs\.([a-z0-9-]+)\.amazonaws\.com")


def in_ecs(environment: Mapping[str, str]) -> bool:
    """Whether this process runs in a container that ECS has started."""
    return "ECS_CONTAINER_METADATA_URI_V4" in environment


_CREDENTIALS = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)
"""What ECS sets for the role of a task.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
"""

_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def leave_to_worker(environment: MutableMapping[str, str]) -> None:
    """Take everything out of an environment that would lead an AWS client elsewhere than the task's own role.

    In ECS worker and watcher may share a container. Its account, profile, endpoint, proxy and certificates are the
    worker's business, who gets them from the environment that the container was started with.
    """
    for name in list(environment):
        is_clients = name.startswith("AWS_") and name not in _CREDENTIALS
        if is_clients or name in _CERTIFICATES or name.lower().endswith("_proxy"):
            del environment[name]
    environment["AWS_CONFIG_FILE"] = os.devnull
    environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    # A task on EC2 without a role of its own must not act as the instance it runs on.
    environment["AWS_EC2_METADATA_DISABLED"] = "true"


class AwsAccess:
    """Makes the session and names the endpoint.

    ``endpoint_url`` is the watcher's own setting. Without it ``AWS_ENDPOINT_URL`` is honoured outside ECS, whatever the
    queue URL's host, so that a queue of an emulator can be worked on; in ECS it would be the worker's business.

    The region is the one in the queue's URL, else the environment's, else, with an endpoint of one's own, one that
    signing needs but nobody reads.
    """

    def __init__(self, environment: Mapping[str, str], queue_url: str, endpoint_url: str | None = None) -> None:
        outside = None if in_ecs(environment) else environment.get("AWS_ENDPOINT_URL")
        self._endpoint_url = outside if endpoint_url is None else endpoint_url
        in_url = _REGION_IN_URL.match(queue_url)
        region = in_url[1] if in_url else environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
        if not region and self._endpoint_url:
            region = "us-east-1"
        self._region = region or None
        self._session: Any = self._new_session()

    def renew(self, seconds: int) -> bool:
        """Get other credentials if these end within this time; whether clients made before have the older ones."""
        credentials = self._session.get_credentials()
        if not isinstance(credentials, RefreshableCredentials) or not credentials.refresh_needed(seconds):
            return False
        self._session = self._new_session()
        return True

    def _new_session(self) -> Any:
        try:
            return boto3.session.Session(region_name=self._region)
        except BotoCoreError as error:
            raise SettingsError((f"no AWS session can be made of this environment: {error}",)) from error

    def client(self, service: str, config: botocore.config.Config) -> Any:
        """Make a client of this service; raises :class:`SettingsError` when the environment allows none."""
        try:
            return self._session.client(service, endpoint_url=self._endpoint_url, config=config)
        except (BotoCoreError, ValueError) as error:
            raise SettingsError((f"no client of AWS {service} can be made of this environment: {error}",)) from error
