"""CloudFormation's own schemas and rules, by cfn-lint, over what we create."""

from __future__ import annotations

import functools
import json

from aws_cdk import App
from cfnlint.config import ConfigMixIn, ManualArgs
from cfnlint.decode import cfn_json
from cfnlint.match import Match
from cfnlint.runner import Runner

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
    # Read as the JSON that it is: cfn-lint's own function tries YAML first, and reads all rules each time.
    read = cfn_json.loads(json.dumps(template.whole, ensure_ascii=False))
    return list(_linter().validate_template(read))


@functools.cache
def _linter() -> Runner:
    return Runner(ConfigMixIn(**_CONFIG))


def test_templates_are_clean(reviewed: tuple[App, dict[str, Template]]) -> None:
    found = [f"{name}: {match}" for name, template in reviewed[1].items() for match in findings(template)]
    assert found == []
