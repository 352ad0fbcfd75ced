"""What is known only at deployment is told from what is known now."""

from __future__ import annotations

import pytest
from aws_cdk import Fn, Token

from watchbot_cdk.deploy_time import is_deploy_time


def test_tokens_of_every_kind_are_known_at_deployment() -> None:
    text = Token.as_string({"Ref": "Text"})
    tokens = [
        Token.as_number({"Ref": "Number"}),
        Token.as_list({"Ref": "List"}),
        Fn.get_att("Bucket", "Arn"),
        text,
        f"before {text} after",
    ]
    assert [token for token in tokens if not is_deploy_time(token)] == []


@pytest.mark.parametrize(
    "value",
    [
        0,
        1,
        -1,
        10**400,
        True,
        0.5,
        -0.5,
        -1e300,
        float("nan"),
        float("-inf"),
        "",
        "text",
        "${AWS::Region}",
        None,
        b"text",
        ["text"],
        [3],
        {},
        object(),
    ],
)
def test_a_plain_value_is_known_now(value: object) -> None:
    assert not is_deploy_time(value)
