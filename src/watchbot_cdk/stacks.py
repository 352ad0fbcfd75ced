"""The stack of a construct, and what is asked of it by every service in it."""

from __future__ import annotations

from aws_cdk import Stack
from constructs import IConstruct

from watchbot_cdk.remembered import remembered


@remembered
def stack_of(construct: IConstruct) -> Stack:
    """Give the stack that a construct is in."""
    return Stack.of(construct)


@remembered
def outermost(stack: Stack) -> Stack:
    """Give the stack that is deployed, of one nested in it or of itself."""
    parent = stack.nested_stack_parent
    return stack if parent is None else outermost(parent)


@remembered
def name_of(stack: Stack) -> str:
    """Give the name it is deployed under."""
    return stack.stack_name


@remembered
def path_of(construct: IConstruct) -> str:
    """Give the path of a construct in the app."""
    return construct.node.path


@remembered
def account_of(stack: Stack) -> str:
    """Give the account, which may be known only at deployment."""
    return stack.account


@remembered
def region_of(stack: Stack) -> str:
    """Give the Region, which may be known only at deployment."""
    return stack.region


@remembered
def arn_prefix(stack: Stack, service: str) -> str:
    """Give what the ARNs of a service's resources in this account and region begin with, without the last colon."""
    return f"arn:{stack.partition}:{service}:{region_of(stack)}:{account_of(stack)}"
