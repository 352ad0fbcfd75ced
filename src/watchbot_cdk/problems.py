"""What can be wrong with one value, said by the name of its argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import Duration

from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.remembered import remembered


def kind_problems(name: str, value: object, kind: type, *, optional: bool = False) -> Iterable[str]:
    """Say that a value is of another kind."""
    if isinstance(value, kind) or (optional and value is None):
        return
    yield f"{name} must be a {kind.__name__}{' or None' if optional else ''}, got {value!r}"


def is_list_of(kind: type, value: object) -> bool:
    """Whether a value is a list of this kind; a text is no list, and neither are bytes, also without any in them."""
    if isinstance(value, str | bytes | bytearray):
        return False
    return isinstance(value, Sequence) and all(isinstance(part, kind) for part in value)


def is_map_to(kind: type, value: object) -> bool:
    """Whether a value maps names to this kind."""
    return isinstance(value, Mapping) and is_list_of(str, [*value]) and is_list_of(kind, [*value.values()])


def shown(variables: object) -> str:
    """Show names and kinds alone: a value may be a secret somebody wrote in the wrong place."""
    if not isinstance(variables, Mapping):
        return f"a {type(variables).__name__}"
    return "{" + ", ".join(f"{name!r}: {type(value).__name__}" for name, value in variables.items()) + "}"


@remembered
def is_token(duration: Duration) -> bool:
    """Whether a duration is known only at deployment."""
    return duration.is_unresolved()


@remembered
def in_seconds(duration: Duration) -> float:
    """Give a duration that is known at synthesis in seconds, fractions and all."""
    return duration.to_milliseconds() / 1000


def whole_problems(name: str, value: float, lowest: int, highest: int) -> Iterable[str]:
    """Say that a number is not whole, or out of bounds, unless it is a token; CDK is asked last, for it is slow."""
    is_good = not isinstance(value, bool) and isinstance(value, int) and lowest <= value <= highest
    if not is_good and not _is_number_token(value):
        yield f"{name} must be a whole number from {lowest} to {highest}, got {value!r}"


def between_problems(name: str, value: float, lowest: float, highest: float) -> Iterable[str]:
    """Say that a number is out of bounds, unless it is a token."""
    is_good = not isinstance(value, bool) and isinstance(value, int | float) and lowest <= value <= highest
    if not is_good and not _is_number_token(value):
        yield f"{name} must be a number from {lowest:g} to {highest:g}, got {value!r}"


def _is_number_token(value: object) -> bool:
    """Whether a value is a number known only at deployment; the text of one is not, and CDK takes it for none."""
    return isinstance(value, float) and is_deploy_time(value)


def span_problems(name: str, value: Duration, shortest: int, longest: int) -> Iterable[str]:
    """Say that a time is out of these bounds in seconds, or not in whole ones."""
    if is_token(value):
        if value.unit_label() != "seconds":
            yield f"{name} must be Duration.seconds of what is known only at deployment, got {value.unit_label()}"
        return
    seconds = in_seconds(value)
    if not shortest <= seconds <= longest:
        yield f"{name} must be {shortest} to {longest} seconds, got {seconds:.12g}"
    elif seconds != int(seconds):
        yield f"{name} must be whole seconds, got {seconds:.12g}"
