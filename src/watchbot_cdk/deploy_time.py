"""Values that are known only when CloudFormation deploys the stack."""

from __future__ import annotations

import math

from aws_cdk import Token


def is_deploy_time(value: object) -> bool:
    """Whether this is a token, which cannot be compared with anything at synthesis.

    CDK is asked only when it may be one, for asking is slow: numbers that are tokens are fractions far below zero,
    texts have a mark, and anything else would have to be an object of its own. Nor is it asked about nan and inf: they
    are no JSON, its process would die of them, and the app with it.
    """
    match value:
        case int():
            return False
        case float():
            return math.isfinite(value) and value < 0 and Token.is_unresolved(value)
        case str():
            return "{Token[" in value and Token.is_unresolved(value)
        case [str() as only]:
            return "{Token[" in only and Token.is_unresolved(value)
    return hasattr(value, "__jsii_type__") and Token.is_unresolved(value)
