"""The one stack output of a Watchbot: from it the command line finds everything, given the stack's name."""

from __future__ import annotations

from aws_cdk import CfnOutput, Names
from constructs import Construct

from watchbot.contract import OUTPUT_SUFFIX, Description
from watchbot_cdk.stacks import name_of, outermost, path_of, stack_of


def service_name(scope: Construct) -> str:
    """Name the service in metrics, logs and commands: by its stack's name and the construct's path in the stack.

    So the same app deployed twice into an account, under two stack names, is two services.
    """
    stack = outermost(stack_of(scope))
    return f"{name_of(stack)}{scope.node.path.removeprefix(path_of(stack))}"


def add_description(scope: Construct, description: Description) -> CfnOutput:
    """Write the description to the outermost stack, so that nobody has to look into nested ones. It is no export."""
    stack = outermost(stack_of(scope))
    return CfnOutput(
        stack,
        f"{Names.unique_id(scope)}{OUTPUT_SUFFIX}",
        value=stack.to_json_string(description.to_dict()),
        description="where the parts of this Watchbot are; read by the command watchbot",
    )
