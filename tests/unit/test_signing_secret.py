from __future__ import annotations

import asyncio
import datetime
import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from tests.simulation.signed import SimulatedSecrets
from tests.simulation.virtual_time import run_virtual
from watchbot.aws_session import AwsAccess
from watchbot.signing_secret import BotoSecrets, SecretError, SigningSecret

REGION = "eu-west-1"
QUEUE = f"https://sqs.{REGION}.amazonaws.com/1/q"


def _secret(secrets: SimulatedSecrets, ahead_seconds: float = 0) -> SigningSecret:
    return SigningSecret(secrets, lambda: asyncio.get_running_loop().time() + ahead_seconds)


def test_values_are_kept_for_five_minutes() -> None:
    secrets = SimulatedSecrets(b"a")

    async def check() -> None:
        secret = _secret(secrets)
        assert await secret.values() == (b"a",)
        secrets.stored = (b"b", b"a")
        await asyncio.sleep(299)
        assert await secret.values() == (b"a",)
        await asyncio.sleep(2)
        assert await secret.values() == (b"b", b"a")

    run_virtual(check())
    assert secrets.fetched_at == [0, 301]


def test_a_message_that_came_in_after_the_last_fetch_is_worth_another() -> None:
    secrets = SimulatedSecrets(b"a")

    async def check() -> None:
        secret = _secret(secrets)
        await secret.values()
        await asyncio.sleep(60)
        secrets.stored = (b"b", b"a")
        assert await secret.values_after(50) == (b"b", b"a")
        await asyncio.sleep(60)
        assert await secret.values_after(50) == (b"b", b"a")

    run_virtual(check())
    assert secrets.fetched_at == [0, 60]


@pytest.mark.parametrize("ahead_seconds", [-4, 4])
def test_clocks_that_differ_do_not_hide_a_secret(ahead_seconds: float) -> None:
    secrets = SimulatedSecrets(b"a")

    async def check() -> None:
        secret = _secret(secrets, ahead_seconds)
        await secret.values()
        await asyncio.sleep(0.5)
        secrets.stored = (b"b", b"a")
        await asyncio.sleep(10)
        assert await secret.values_after(0.6) == (b"b", b"a")

    run_virtual(check())


@pytest.mark.parametrize("step_seconds", [-3600, 3600])
def test_a_wall_clock_that_is_set_makes_no_value_older_or_younger(step_seconds: float) -> None:
    secrets, ahead = SimulatedSecrets(b"leaked"), [0.0]

    async def check() -> None:
        secret = SigningSecret(secrets, lambda: asyncio.get_running_loop().time() + ahead[0])
        assert await secret.values() == (b"leaked",)
        secrets.stored = (b"b", b"a")
        ahead[0] = step_seconds
        await asyncio.sleep(299)
        assert await secret.values() == (b"leaked",)
        await asyncio.sleep(2)
        assert await secret.values() == (b"b", b"a")

    run_virtual(check())


def test_a_new_secret_is_seen_although_the_wall_clock_was_set_back() -> None:
    secrets, ahead = SimulatedSecrets(b"a"), [3600.0]

    async def check() -> None:
        loop = asyncio.get_running_loop()
        secret = SigningSecret(secrets, lambda: loop.time() + ahead[0])
        await secret.values()
        ahead[0] = 0.0
        await asyncio.sleep(60)
        secrets.stored = (b"b", b"a")
        assert await secret.values_after(loop.time()) == (b"b", b"a")

    run_virtual(check())


def test_a_change_that_only_the_fetches_show_is_known() -> None:
    """A value that was stored long ago has become the current one."""
    secrets = SimulatedSecrets(b"b", b"a")

    async def check() -> None:
        secret = _secret(secrets)
        await secret.values()
        assert not secret.was_changed_after(0)
        secrets.stored = (b"c", b"b")
        await asyncio.sleep(301)
        await secret.values()
        assert secret.was_changed_after(300)
        assert not secret.was_changed_after(307)

    run_virtual(check())


def test_a_thousand_forged_messages_cost_a_fetch_each_five_seconds() -> None:
    secrets = SimulatedSecrets(b"a")

    async def check() -> None:
        secret = _secret(secrets)

        async def forged(number: int) -> None:
            await asyncio.sleep(number / 50)
            came_in_at = asyncio.get_running_loop().time()
            await secret.values()
            await secret.values_after(came_in_at)

        await asyncio.gather(*map(forged, range(1000)))

    run_virtual(check())
    assert secrets.fetched_at == [0, 5, 10, 15, 20]


def test_a_message_whose_secret_is_known_waits_for_nobody_elses_fetch() -> None:
    secrets = SimulatedSecrets(b"a")

    async def check() -> None:
        secret, now = _secret(secrets), asyncio.get_running_loop().time
        await secret.values()
        await asyncio.sleep(1)
        waiting = asyncio.create_task(secret.values_after(1))
        await asyncio.sleep(0)
        await secret.values()
        assert now() == 1
        await waiting
        assert now() == 5

    run_virtual(check())


def test_a_failure_is_shared_by_all_that_wait_and_tried_again_later() -> None:
    secrets = SimulatedSecrets(b"a")
    secrets.problem = "throttled"
    secrets.takes_seconds = 1

    async def check() -> None:
        secret, now = _secret(secrets), asyncio.get_running_loop().time
        answers = await asyncio.gather(*(secret.values() for _ in range(100)), return_exceptions=True)
        assert {str(answer) for answer in answers} == {"throttled"}
        assert now() == 1
        secrets.problem = None
        await asyncio.sleep(5)
        assert await secret.values() == (b"a",)

    run_virtual(check())
    assert secrets.fetched_at == [0, 6]


def test_a_fetch_that_was_given_up_leaves_the_next_one_possible() -> None:
    secrets = SimulatedSecrets(b"a")
    secrets.takes_seconds = 30

    async def check() -> None:
        secret = _secret(secrets)
        given_up = asyncio.create_task(secret.values())
        await asyncio.sleep(1)
        given_up.cancel()
        assert await secret.values() == (b"a",)

    run_virtual(check())


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> AwsAccess:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return AwsAccess({}, QUEUE)


def _fetch(aws: AwsAccess, field: str | None = None) -> tuple[bytes, ...]:
    return asyncio.run(BotoSecrets(aws, "s", field).fetch())


def _store(**value: Any) -> None:
    client = boto3.client("secretsmanager", region_name=REGION)
    if "s" in {one["Name"] for one in client.list_secrets()["SecretList"]}:
        client.put_secret_value(SecretId="s", **value)
    else:
        client.create_secret(Name="s", **value)


@mock_aws
def test_the_previous_value_counts_until_the_next_rotation(aws: AwsAccess) -> None:
    _store(SecretString="one")
    assert _fetch(aws) == (b"one",)
    _store(SecretString="two")
    assert _fetch(aws) == (b"two", b"one")
    _store(SecretBinary=b"\x00\xff")
    assert _fetch(aws) == (b"\x00\xff", b"two")


@mock_aws
def test_a_field_of_a_json_secret_can_be_meant(aws: AwsAccess) -> None:
    _store(SecretString=json.dumps({"other": "x"}))
    with pytest.raises(SecretError, match="is no JSON object with a text github"):
        _fetch(aws, "github")
    _store(SecretString=json.dumps({"github": "two"}))
    assert _fetch(aws, "github") == (b"two",)


@mock_aws
@pytest.mark.parametrize("text", ["plain", "[]", '{"github": 1}', '{"github": ""}', "[" * 50_000])
def test_refuses_a_secret_without_a_text_in_its_field(aws: AwsAccess, text: str) -> None:
    _store(SecretString=text)
    with pytest.raises(SecretError, match="the secret s is"):
        _fetch(aws, "github")


@mock_aws
def test_a_secret_that_does_not_exist_is_an_error_and_no_invalid_signature(aws: AwsAccess) -> None:
    with pytest.raises(SecretError, match=r"the secret s: .*ResourceNotFoundException"):
        _fetch(aws)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "DecryptionFailure"])
def test_an_error_of_either_value_is_one(aws: AwsAccess, code: str) -> None:
    secrets = BotoSecrets(aws, "s", None)
    with Stubber(secrets._client) as stub:
        stub.add_response("get_secret_value", {"SecretString": "one"})
        stub.add_client_error("get_secret_value", code)
        with pytest.raises(SecretError, match=code):
            asyncio.run(secrets.fetch())


@pytest.mark.parametrize(("current", "previous"), [(2_000, 1_000), (1_000, 2_000)])
def test_the_secret_changed_when_the_newer_of_its_values_was_stored(
    aws: AwsAccess, current: int, previous: int
) -> None:
    secrets = BotoSecrets(aws, "s", None)
    with Stubber(secrets._client) as stub:
        for value, stored in (("one", current), ("two", previous)):
            answer = {"SecretString": value, "CreatedDate": datetime.datetime.fromtimestamp(stored, datetime.UTC)}
            stub.add_response("get_secret_value", answer)
        assert asyncio.run(secrets.fetch()) == (b"one", b"two")
    assert secrets.changed_at == 2_000
