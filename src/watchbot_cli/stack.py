"""From a stack's name to the parts of a Watchbot in it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from watchbot.contract import OUTPUT_SUFFIX, Description, DescriptionError, OtherReleaseError
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
    found, unreadable = _descriptions(target.stack, _outputs(session, target.stack))
    try:
        names = choose([one.service for one in found], target.service, holder)
    except UsageError as error:
        if unreadable is None:
            raise
        # The one that is meant may be the one that cannot be read.
        raise CommandError(f"{error}, and one that this program cannot read: {unreadable}") from unreadable
    if len(names) > 1 or (unreadable is not None and target.service is None):
        rest = "" if unreadable is None else f", or one that this program cannot read: {unreadable}"
        raise UsageError(f"{holder} holds several Watchbots, name one with --service: {', '.join(names)}{rest}")
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


def _descriptions(stack: str, outputs: list[dict[str, Any]]) -> tuple[list[Description], OtherReleaseError | None]:
    """Read the descriptions; gives also what is the matter with one of another release, if there is such.

    An output that only has such a name does not matter beside one that is a description.
    """
    found: list[Description] = []
    problems: list[DescriptionError] = []
    for output in outputs:
        if not output["OutputKey"].endswith(OUTPUT_SUFFIX):
            continue
        try:
            found.append(Description.from_json(output["OutputValue"]))
        except DescriptionError as error:
            problems.append(error)
    others = [one for one in problems if isinstance(one, OtherReleaseError)]
    if problems and not found:
        worst = [*others, *problems][0]
        raise CommandError(f"stack {stack}: {worst}") from worst
    return found, others[0] if others else None
