"""A service found in a stack, without CloudFormation."""

from __future__ import annotations

from watchbot.contract import Description
from watchbot_cli.place import Place
from watchbot_cli.stack import Found
from watchbot_cli.stack_state import StackState


def in_stack(service: Description, status: str = "UPDATE_COMPLETE") -> Found:
    """Give the service in a stack of this status, in an account of its own."""
    place = Place(service=service.service, stack="Stack", region="eu-west-1", account="111122223333", profile=None)
    return Found(service, place, StackState("Stack", status))
