"""From a stack's name to the parts of a Watchbot in it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from watchbot.contract import OUTPUT_SUFFIX, Description, DescriptionError
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.options import Target
from watchbot_cli.service_choice import choose
from watchbot_cli.session import Session


def find_service(session: Session, target: Target) -> Description:
    """Read what the stack's outputs say of the one Watchbot that is meant.

    Raises :class:`UsageError` when there is no such stack or service, or when there are several to choose from, and
    :class:`CommandError` when the stack was deployed with a release that this program cannot read.
    """
    holder = f"stack {target.stack}"
    found = _descriptions(target.stack, _outputs(session, target.stack))
    names = choose([one.service for one in found], target.service, holder)
    if len(names) > 1:
        raise UsageError(f"{holder} holds several Watchbots, name one with --service: {', '.join(names)}")
    return next(one for one in found if one.service == names[0])


def _outputs(session: Session, stack: str) -> list[dict[str, Any]]:
    try:
        answer = session.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        # CloudFormation has no code of its own for a stack that is not there:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            raise UsageError(f"there is no stack {stack!r} in {session.region} of this account") from error
        raise
    outputs: list[dict[str, Any]] = answer["Stacks"][0].get("Outputs", [])
    return outputs


def _descriptions(stack: str, outputs: list[dict[str, Any]]) -> list[Description]:
    """Read the descriptions; an output that only has such a name does not matter beside one that is readable."""
    found: list[Description] = []
    problems: list[DescriptionError] = []
    for output in outputs:
        if not output["OutputKey"].endswith(OUTPUT_SUFFIX):
            continue
        try:
            found.append(Description.from_json(output["OutputValue"]))
        except DescriptionError as error:
            problems.append(error)
    if problems and not found:
        raise CommandError(f"stack {stack}: {problems[0]}") from problems[0]
    return found
