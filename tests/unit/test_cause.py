from __future__ import annotations

import pytest

from watchbot.cause import cause_of


@pytest.mark.parametrize(
    "text",
    [
        "User: arn:aws:sts::123456789012:assumed-role/execution/{} is not authorized to perform: ssm:GetParameters",
        "AccessDeniedException: status code: 400, request id: {}-c25e-4e3c-8dd1-4b8d7a2cbb01",
        "operation error Secrets Manager: GetSecretValue, RequestID: {}-C25E-4E3C-8DD1-4B8D7A2CBB01",
    ],
)
def test_two_tellings_of_one_trouble_have_one_cause(text: str) -> None:
    length = 32 if "assumed-role" in text else 8
    assert cause_of(text.format("a1" * (length // 2))) == cause_of(text.format("B2" * (length // 2)))


def test_two_connections_that_fail_have_one_cause() -> None:
    assert cause_of("dial tcp 52.94.1.2:443: i/o timeout") == cause_of("dial tcp 10.0.1.20:443: i/o timeout")


@pytest.mark.parametrize(
    ("text", "other"),
    [("exit code 126", "exit code 127"), ("image app:1.2.3 not found", "image app:1.2.4 not found")],
)
def test_different_troubles_have_different_causes(text: str, other: str) -> None:
    assert cause_of(text) != cause_of(other)
