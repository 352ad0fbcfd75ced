"""Whatever is valid alone is valid together: CloudFormation takes what any arguments make, and so does the watcher."""

from __future__ import annotations

import inspect

import pytest
from aws_cdk import App, Stack

from tests.synth.combinations import build, drawn
from tests.synth.invalid import invalid
from tests.synth.random_invalid import Refusals
from tests.synth.reviewed_combinations import IN_A_STACK, Reviewed
from tests.synth.world import World
from watchbot_cdk import Watchbot, WatchbotArgumentError

pytestmark = pytest.mark.xdist_group("combinations")

_COUNT = 40


@pytest.fixture(scope="module")
def reviewed() -> Reviewed:
    """The combinations, synthesised."""
    return Reviewed(drawn(_COUNT))


def test_the_combinations_leave_no_argument_out(reviewed: Reviewed) -> None:
    arguments = set(inspect.signature(Watchbot.__init__).parameters) - {"self", "scope", "id"}
    assert set().union(*reviewed.combinations) == arguments


@pytest.mark.parametrize("stack", range(_COUNT // IN_A_STACK))
def test_cloudformation_takes_what_any_arguments_make(reviewed: Reviewed, stack: int) -> None:
    assert reviewed.found_by_cfn_lint(stack) == []


def test_the_watcher_is_told_what_any_arguments_say(reviewed: Reviewed) -> None:
    assert reviewed.found_by_the_watcher() == []


@pytest.fixture(scope="module")
def world() -> World:
    """A stack in which nothing is ever created."""
    return World(Stack(App(), "Refusing"))


@pytest.mark.parametrize(
    "argument", sorted(set(inspect.signature(Watchbot.__init__).parameters) - {"self", "scope", "id"})
)
def test_refuses_what_an_argument_cannot_be_by_its_name_whatever_the_others_are(argument: str, world: World) -> None:
    others = drawn(_COUNT)
    for number, wrong in enumerate(invalid(argument)):
        combination = {**others[number], argument: wrong}
        arguments, before = build(combination, world), len(world.stack.node.children)
        with pytest.raises(WatchbotArgumentError) as caught:
            Watchbot(world.stack, "svc", **arguments)
        assert any(argument in problem for problem in caught.value.problems), (combination, str(caught.value))
        assert len(world.stack.node.children) == before


def test_refuses_random_values_by_the_arguments_name_and_before_anything_is_created() -> None:
    assert Refusals().not_refused(300) == []
