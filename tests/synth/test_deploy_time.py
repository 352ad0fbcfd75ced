"""What is known only at deployment is told from what is known now."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Fn, Token

from watchbot_cdk.deploy_time import is_deploy_time


@pytest.mark.parametrize(
    "token",
    [
        Token.as_number({"Ref": "Number"}),
        Token.as_string({"Ref": "Text"}),
        Token.as_list({"Ref": "List"}),
        Fn.ref("Any"),
        f"before {Token.as_string({'Ref': 'Text'})} after",
        Fn.get_att("Bucket", "Arn"),
    ],
)
def test_a_token_is_known_at_deployment(token: object) -> None:
    assert is_deploy_time(token)


@pytest.mark.parametrize(
    "value",
    [0, 1, -1, 10**400, True, 0.5, -0.5, -1e300, float("nan"), float("-inf"), "", "text", "${AWS::Region}", None],
)
def test_a_plain_value_is_known_now(value: Any) -> None:
    assert not is_deploy_time(value)
