from __future__ import annotations

from typing import Any

import pytest

from watchbot_cli.intrinsics import imports, references


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("text", []),
        ({"Ref": "Queue"}, ["Queue"]),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, ["Queue"]),
        ({"Fn::Join": ["", ["a", {"Ref": "A"}, {"Fn::Select": [0, {"Fn::GetAtt": ["B", "X"]}]}]]}, ["A", "B"]),
        ({"Fn::Sub": "${A}-${B.Arn}-${!Kept}-${AWS::Region}"}, ["A", "B", "AWS::Region"]),
        ({"Fn::Sub": ["${Own}${A}", {"Own": {"Ref": "C"}}]}, ["A", "C"]),
    ],
)
def test_every_name_that_a_value_is_made_of_is_found(value: Any, names: list[str]) -> None:
    assert list(references({"deep": [value]})) == names


def test_imports_of_other_stacks_are_found() -> None:
    assert list(imports({"a": [{"Fn::ImportValue": "A:Export"}, {"Fn::ImportValue": {"Fn::Sub": "x"}}]})) == [
        "A:Export",
        "{'Fn::Sub': 'x'}",
    ]
