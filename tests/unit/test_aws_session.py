from __future__ import annotations

import pytest

from watchbot.aws_session import AwsAccess
from watchbot.contract import SettingsError

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"


def test_a_profile_that_does_not_exist_is_a_problem_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")
    with pytest.raises(SettingsError, match="nope"):
        AwsAccess({}, QUEUE)
