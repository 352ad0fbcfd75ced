"""The one stack output of a Watchbot: from it the command line finds everything, given the stack's name."""

from __future__ import annotations

import json

from aws_cdk import CfnOutput, Names, Stack
from constructs import Construct

from watchbot.contract import OUTPUT_SUFFIX, Description
from watchbot_cdk.stacks import name_of, outermost, path_of


def service_name(path: str, stack: Stack) -> str:
    """Name the service in metrics, logs and commands: by its stack's name and the construct's path in the stack.

    So the same app deployed twice into an account, under two stack names, is two services.
    """
    top = outermost(stack)
    return f"{name_of(top)}{path.removeprefix(path_of(top))}"


def add_description(scope: Construct, description: Description, stack: Stack) -> CfnOutput:
    """Write the description to the outermost stack, so that nobody has to look into nested ones. It is no export.

    ARNs, addresses and names have nothing that JSON escapes, also where only the deployment fills them in.
    """
    return CfnOutput(
        outermost(stack),
        f"{Names.unique_id(scope)}{OUTPUT_SUFFIX}",
        value=json.dumps(description.to_dict(), allow_nan=False),
        description="where the parts of this Watchbot are; read by the command watchbot",
    )
