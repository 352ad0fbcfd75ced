"""From a stack's name to the parts of a Watchbot in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from watchbot.contract import OUTPUT_SUFFIX, Description, DescriptionError, OtherReleaseError
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.options import Target
from watchbot_cli.output import talk
from watchbot_cli.patience import within
from watchbot_cli.place import Place
from watchbot_cli.service_choice import choose
from watchbot_cli.session import Session
from watchbot_cli.stack_state import StackState

_ACCOUNT_SECONDS = 3.0


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A service, where it is, and what CloudFormation does with its stack."""

    service: Description
    place: Place
    state: StackState


def find_service(session: Session, target: Target) -> Description:
    """Find the service for a command that only reads, as :func:`find` does."""
    return find(session, target).service


def find(session: Session, target: Target, *, acts: str | None = None, warns: bool = True) -> Found:
    """Read what the stack's outputs say of the one Watchbot that is meant, and say what is the matter with the stack.

    ``acts`` says what becomes of an act on a stack that is being deleted; such an act is refused then.

    Raises :class:`UsageError` when there is no such stack or service, or when there are several to choose from, and
    :class:`CommandError` when the stack was deployed with a release that this program cannot read, or is not there yet.
    """
    described = _described(session, target.stack)
    state = StackState(target.stack, described.get("StackStatus", ""))
    state.check_there()
    service = _service(target, described.get("Outputs", []))
    if acts is not None:
        state.check_stays(acts)
    if warns and state.warning is not None:
        talk().print(state.warning)
    place = Place(
        service=service.service,
        stack=target.stack,
        region=session.region,
        account=_account_of(described.get("StackId", "")),
        profile=session.profile,
    )
    return Found(service, place, state)


def _account_of(arn: str) -> str | None:
    """Take the account out of a stack's id, which is an ARN."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 4 else None


def read_state(cloudformation: Any, stack: str) -> StackState:
    """Read what CloudFormation does with the stack now."""
    return StackState(stack, cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])


def _service(target: Target, outputs: list[dict[str, Any]]) -> Description:
    holder = f"stack {target.stack}"
    found, unreadable = _descriptions(target.stack, outputs)
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


def _described(session: Session, stack: str) -> Mapping[str, Any]:
    try:
        answer = session.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        # CloudFormation has no code of its own for a stack that is not there:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            account = _account(session)
            raise UsageError(f"there is no stack {stack!r} in {session.region} of this account{account}") from error
        raise
    found: Mapping[str, Any] = answer["Stacks"][0]
    return found


def _account(session: Session) -> str:
    """Return the account of the credentials as the end of a sentence, which is whole without it."""
    try:
        return f", {within(_ACCOUNT_SECONDS, session.client('sts').get_caller_identity)['Account']}"
    except Exception:  # noqa: BLE001 - STS may be refused, far away, or no STS at all
        return ""


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
