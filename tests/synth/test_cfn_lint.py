"""CloudFormation's own schemas and rules, by cfn-lint, over what we create."""

from __future__ import annotations

import json

from aws_cdk import App
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.synth.template import Template

_CONFIG = ManualArgs(
    regions=["us-east-1", "eu-west-1"],
    ignore_checks=[
        "W3005",  # the CDK writes down dependencies that follow from a reference, too
        "W3010",  # the CDK looks zones up and names them, where a stack knows its account
    ],
)


def test_templates_are_clean(reviewed: tuple[App, dict[str, Template]]) -> None:
    for name, template in reviewed[1].items():
        found = lint(json.dumps(template.whole), config=_CONFIG)
        assert [f"{name}: {match}" for match in found] == []
