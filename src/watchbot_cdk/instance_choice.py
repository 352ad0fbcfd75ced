"""How RunTask is told which instances to choose."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ecs as ecs


def run_task_constraints(constraints: Sequence[ecs.PlacementConstraint]) -> tuple[dict[str, str], ...]:
    """Give placement constraints as RunTask takes them.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PlacementConstraint.html
    """
    return tuple(_rule(one.type, "expression", one.expression) for rule in constraints for one in rule.to_json())


def run_task_strategies(strategies: Sequence[ecs.PlacementStrategy]) -> tuple[dict[str, str], ...]:
    """Give placement strategies as RunTask takes them; it writes the fields of binpack, cpu and memory, small.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PlacementStrategy.html
    """
    return tuple(
        _rule(one.type, "field", one.field.lower() if one.field and one.type == "binpack" else one.field)
        for rule in strategies
        for one in rule.to_json()
    )


def _rule(kind: str, name: str, value: str | None) -> dict[str, str]:
    return {"type": kind} if value is None else {"type": kind, name: value}
