from __future__ import annotations

import datetime

import botocore.config
import pytest
from botocore.credentials import Credentials, RefreshableCredentials

from watchbot.aws_session import AwsAccess
from watchbot.contract import SettingsError

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"


def test_a_profile_that_does_not_exist_is_a_problem_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")
    with pytest.raises(SettingsError, match="nope"):
        AwsAccess({}, QUEUE)


def _access(monkeypatch: pytest.MonkeyPatch, credentials: object) -> AwsAccess:
    access = AwsAccess({}, QUEUE)
    monkeypatch.setattr(access._session, "get_credentials", lambda: credentials)
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
