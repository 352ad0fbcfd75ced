"""A stack that is not well is said so, and nothing is done to it that would be lost."""

from __future__ import annotations

import pytest

from watchbot_cli.errors import CommandError
from watchbot_cli.place import Place
from watchbot_cli.stack_state import StackState

_THERE = (
    "CREATE_COMPLETE",
    "DELETE_FAILED",
    "DELETE_IN_PROGRESS",
    "IMPORT_COMPLETE",
    "IMPORT_IN_PROGRESS",
    "IMPORT_ROLLBACK_COMPLETE",
    "IMPORT_ROLLBACK_FAILED",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
)
_NOT_THERE = (
    "CREATE_FAILED",
    "CREATE_IN_PROGRESS",
    "DELETE_COMPLETE",
    "REVIEW_IN_PROGRESS",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "ROLLBACK_IN_PROGRESS",
)
"""Every status: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html"""


@pytest.mark.parametrize("status", _NOT_THERE)
def test_refuses_a_stack_that_is_not_there_yet_or_any_more(status: str) -> None:
    with pytest.raises(CommandError, match=rf"^stack Maps .*\({status}\)$"):
        StackState("Maps", status).check_there()


@pytest.mark.parametrize("status", _THERE)
def test_a_stack_that_is_there_is_used_with_a_warning_unless_it_is_well(status: str) -> None:
    state = StackState("Maps", status)
    state.check_there()
    is_well = status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
    assert (state.told is None) is is_well
    assert (state.warning is None) is (is_well or status.endswith("_ROLLBACK_COMPLETE"))


@pytest.mark.parametrize("status", _THERE)
def test_refuses_to_change_a_stack_that_is_going(status: str) -> None:
    state = StackState("Maps", status)
    if not status.startswith("DELETE"):
        state.check_stays("what is sent to it is lost")
        return
    with pytest.raises(CommandError, match=r"^stack Maps is .*: what is sent to it is lost, and nothing was done$"):
        state.check_stays("what is sent to it is lost")


def test_a_place_names_service_stack_region_account_and_profile() -> None:
    place = Place(service="Maps/thumbs", stack="Maps", region="us-east-1", account="123456789012", profile="ops")
    assert str(place) == "Maps/thumbs in us-east-1 of account 123456789012 (ops)"
    other = Place(service="Maps/thumbs", stack="prod", region="us-east-1", account="1", profile=None)
    assert str(other) == "Maps/thumbs of stack prod in us-east-1 of account 1"
