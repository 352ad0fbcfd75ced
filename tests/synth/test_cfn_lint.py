"""CloudFormation's own schemas and rules, by cfn-lint, over what we create."""

from __future__ import annotations

import json

from aws_cdk import App
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from cfnlint.match import Match

from tests.synth.template import Template

_CONFIG = ManualArgs(
    regions=["us-east-1", "eu-west-1"],
    ignore_checks=[
        "W3005",  # the CDK writes down dependencies that follow from a reference, too
        "W3010",  # the CDK looks zones up and names them, where a stack knows its account
    ],
)


def findings(template: Template) -> list[Match]:
    """Give what cfn-lint finds in a template."""
    # As CloudFormation is sent it: cfn-lint reads no character beyond the first 65,536 that is escaped.
    found: list[Match] = lint(json.dumps(template.whole, ensure_ascii=False), config=_CONFIG)
    return found


def test_templates_are_clean(reviewed: tuple[App, dict[str, Template]]) -> None:
    found = [f"{name}: {match}" for name, template in reviewed[1].items() for match in findings(template)]
    assert found == []
