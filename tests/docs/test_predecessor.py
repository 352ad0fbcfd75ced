"""What is said of the predecessor is proved by tests that exist, and its example is an app."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterable
from pathlib import Path

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "predecessor.md").read_text()
PROVED = re.findall(r"^\| (.+) \| (\*\*.+) \| (.*?) ?\|$", PAGE, re.MULTILINE)
PROOFS = sorted(set(re.findall(r"`([^`]+)::(\w+)`", PAGE)))

pytestmark = pytest.mark.xdist_group("synth")


def _functions(path: Path) -> Iterable[str]:
    tree = ast.parse(path.read_text())
    return (node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize(("path", "name"), PROOFS, ids=[name for _, name in PROOFS])
def test_every_proof_is_a_test_that_exists(path: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in _functions(ROOT / path)


@pytest.mark.parametrize(("thing", "here", "proof"), PROVED, ids=[thing for thing, _, _ in PROVED])
def test_what_is_kept_or_replaced_is_proved_and_the_rest_says_why_not(thing: str, here: str, proof: str) -> None:
    said = re.match(r"\*\*(kept|replaced by|left out|not yet)\*\*", here)
    assert said, thing
    assert bool(proof) == (said[1] in ("kept", "replaced by")), thing
    assert said[1] != "left out" or ": " in here, thing


def test_the_tables_hold_no_other_row() -> None:
    tables = PAGE.partition("## Processing")[2]
    rows = [line for line in tables.splitlines() if line.startswith("|") and not line.startswith(("| ecs-", "| --- "))]
    assert len(rows) == len(PROVED)


def test_every_name_of_the_predecessors_is_told_of() -> None:
    renamed = runpy.run_path(str(ROOT / "docs" / "props_page.py"))["PREDECESSOR"]
    told = set(re.findall(r"`([\w.]+)`", PAGE))
    for name in re.findall(r"`([\w.]+)`", " ".join(renamed.values())):
        assert name in told, name


def test_the_example_synthesises() -> None:
    app = App()
    stack = Stack(app, "Moved", env=Environment(account="111122223333", region="eu-central-1"))
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=1)
    names: dict[str, object] = {
        "stack": stack,
        "cluster": ecs.Cluster(stack, "Cluster", vpc=vpc),
        "repository": ecr.Repository.from_repository_name(stack, "Images", "tiles"),
        "git_sha": "0123456",
    }
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(example, names)
    resources = app.synth().get_stack_by_name("Moved").template["Resources"].values()
    assert sum(resource["Type"] == "AWS::ECS::Service" for resource in resources) == 2
