"""CloudWatch's metric math, as far as scaling alarms use it."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping

from watchbot_cli.errors import UsageError

_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "MAX": lambda *values: max(values),
    "MIN": lambda *values: min(values),
    "SUM": lambda *values: sum(values),
    "CEIL": math.ceil,
    "FLOOR": math.floor,
}

Value = float | None
"""None where CloudWatch has no datapoint; what is computed of it has none either, unless FILL gives one."""


class Expression:
    """Arithmetic on metrics by their ids, with FILL, MAX, MIN, SUM, CEIL and FLOOR.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """

    def __init__(self, text: str, alarm: str) -> None:
        self._text = text
        self._alarm = alarm
        try:
            self._tree = ast.parse(text, mode="eval").body
        except SyntaxError:
            raise self._refusal() from None
        self.names = frozenset(
            node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name) and not node.id.isupper()
        )
        self.value(dict.fromkeys(self.names, 1.0))

    def value(self, values: Mapping[str, Value]) -> Value:
        """Compute it; None where a datapoint that it needs is missing, or on division by zero."""
        return self._of(self._tree, values)

    def _of(self, node: ast.expr, values: Mapping[str, Value]) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name) if name in values:
                return values[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self._of(operand, values)
                return None if inner is None else -inner
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return self._computed(_OPERATORS[type(op)], [left, right], values)
            case ast.Call(func=ast.Name(id="FILL"), args=[operand, ast.Constant(value=int() | float() as filling)]):
                inner = self._of(operand, values)
                return float(filling) if inner is None else inner
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in _FUNCTIONS:
                parts = [part for one in arguments for part in (one.elts if isinstance(one, ast.List) else [one])]
                return self._computed(_FUNCTIONS[name], parts, values)
            case _:
                raise self._refusal()

    def _computed(self, function: Callable[..., float], parts: list[ast.expr], values: Mapping[str, Value]) -> Value:
        known = [self._of(part, values) for part in parts]
        if any(one is None for one in known):
            return None
        try:
            return float(function(*known))
        except ZeroDivisionError:
            return None

    def _refusal(self) -> UsageError:
        return UsageError(
            f"the expression {self._text!r} of alarm {self._alarm} cannot be simulated: only arithmetic on metrics, "
            f"FILL with a number, and {', '.join(sorted(_FUNCTIONS))} can"
        )
