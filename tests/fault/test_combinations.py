"""As tests/synth/test_combinations.py, with more of them: minutes."""

from __future__ import annotations

import pytest

from tests.synth.combinations import drawn
from tests.synth.random_invalid import Refusals
from tests.synth.reviewed_combinations import IN_A_STACK, Reviewed

_ALL = 200
_AT_ONCE = 2 * IN_A_STACK


@pytest.mark.parametrize("first", range(0, _ALL, _AT_ONCE))
def test_cloudformation_and_the_watcher_take_what_any_arguments_make(first: int) -> None:
    reviewed = Reviewed(drawn(_AT_ONCE, first=first))
    assert [found for stack in range(2) for found in reviewed.found_by_cfn_lint(stack)] == []
    assert reviewed.found_by_the_watcher() == []


@pytest.mark.parametrize("first", range(0, 10_000, 1_000))
def test_refuses_random_values_by_the_arguments_name_and_before_anything_is_created(first: int) -> None:
    assert Refusals().not_refused(1_000, first=first) == []
