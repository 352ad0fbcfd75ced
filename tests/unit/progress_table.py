"""A progress table to test with: a DynamoDB of our own, and moto's, which knows the words expressions may not hold."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from bench.progress.dynamodb import SimulatedDynamoDb
from moto import mock_aws

from watchbot.contract import PROGRESS_KEY
from watchbot.progress import Progress
from watchbot.progress.table import Table

NOW = 1_800_000_000


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


class _Atomic:
    """A client of moto's whose calls come one after the other: it looks at a condition, and then writes, unlocked."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return functools.partial(self._call, found) if inspect.ismethod(found) else found

    def _call(self, method: Callable[..., Any], **asked: Any) -> Any:
        with self._lock:
            return method(**asked)


@pytest.fixture(params=["simulated", "moto"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "simulated":
        yield SimulatedDynamoDb()
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        moto = boto3.client("dynamodb", "eu-central-1")
        moto.create_table(
            TableName="jobs",
            KeySchema=[{"AttributeName": PROGRESS_KEY, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": PROGRESS_KEY, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield _Atomic(moto)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(client: Any, clock: Clock) -> Progress:
    return Progress(Table(client, "jobs", wait=lambda _: None), clock=clock)
