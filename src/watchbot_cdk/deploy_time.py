"""Values that are known only when CloudFormation deploys the stack."""

from __future__ import annotations

import math

from aws_cdk import Token


def is_deploy_time(value: object) -> bool:
    """Whether this is a token, which cannot be compared with anything at synthesis.

    CDK is not asked about nan and inf: they are no JSON, its process would die of them, and the app with it.
    """
    return not (isinstance(value, float) and not math.isfinite(value)) and Token.is_unresolved(value)
