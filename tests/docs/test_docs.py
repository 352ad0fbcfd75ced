"""The docs say what is so."""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

import watchbot_cdk
from watchbot.contract import Event, Metric, Outcome, Settings
from watchbot_cdk import Watchbot
from watchbot_cdk.sources import Sources
from watchbot_cli.examples import Command, Group
from watchbot_cli.main import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]

pytestmark = pytest.mark.xdist_group("synth")


def _read(name: str) -> str:
    return (ROOT / name).read_text()


def test_the_readmes_examples_synthesise(tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "Dockerfile").write_text("FROM scratch\n")
    first, second = re.findall(r"```python\n(.*?)```", _read("README.md"), re.DOTALL)
    names: dict[str, object] = {"App": lambda: App(outdir=str(tmp_path / "cdk.out"))}
    exec(first.replace("from aws_cdk import App, Stack", "from aws_cdk import Stack"), names)
    names["stack"] = Stack(App(outdir=str(tmp_path / "other")), "Other")
    exec(second.replace('"worker"', repr(str(tmp_path / "worker"))), names)
    assert (tmp_path / "cdk.out" / "Thumbnails.template.json").is_file()


def test_every_source_in_the_docs_synthesises() -> None:
    app = App()
    stack = Stack(app, "Demo", env=Environment(account="111122223333", region="eu-central-1"))
    names: dict[str, object] = {
        "stack": stack,
        "svc": Watchbot(stack, "svc", image=ecs.ContainerImage.from_registry("my/worker")),
    }
    for example in re.findall(r"```python\n(.*?)```", _read("docs/sources.md"), re.DOTALL):
        exec(example, names)
    kinds = Counter(one["Type"] for one in app.synth().get_stack_by_name("Demo").template["Resources"].values())
    assert (kinds["AWS::SNS::Subscription"], kinds["AWS::Events::Rule"], kinds["AWS::Scheduler::Schedule"]) == (2, 3, 1)


NAMED_TARGETS = re.findall(r"(?:^|`)make ([a-z0-9-]+)", _read("README.md") + _read("CONTRIBUTING.md"), re.MULTILINE)


@pytest.mark.parametrize("target", sorted(set(NAMED_TARGETS)))
def test_every_make_target_named_exists(target: str) -> None:
    targets = re.findall(r"^([a-z0-9-]+):", _read("Makefile"), re.MULTILINE)
    assert target in targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not link.startswith("http"):
            assert (page.parent / link).resolve().exists(), link


def test_every_argument_and_attribute_of_the_construct_is_in_its_reference() -> None:
    pages = _read("docs/reference/props.md") + _read("docs/reference/construct.md")
    arguments = [
        name for name in inspect.signature(Watchbot.__init__).parameters if name not in ("self", "scope", "id")
    ]
    members = {**vars(Sources), **vars(Watchbot)}
    attributes = [name for name, value in members.items() if not name.startswith("_") and callable(value)]
    properties = [name for name, value in members.items() if isinstance(value, property)]
    for name in (*arguments, *attributes, *properties):
        assert f"`{name}`" in pages, name


def test_every_public_name_has_a_docstring() -> None:
    for name in watchbot_cdk.__all__:
        assert inspect.getdoc(getattr(watchbot_cdk, name)), name


@pytest.mark.parametrize("field", dataclasses.fields(Settings), ids=lambda field: field.name)
def test_every_setting_is_in_its_reference(field: dataclasses.Field[object]) -> None:
    assert f"`{field.metadata['name']}`" in _read("docs/reference/settings.md")


@pytest.mark.parametrize("word", [*Event, *Outcome])
def test_every_event_and_outcome_is_in_the_reference_of_logs(word: str) -> None:
    assert f"`{word}`" in _read("docs/reference/logs.md")


@pytest.mark.parametrize("metric", list(Metric))
def test_every_metric_is_in_its_reference(metric: Metric) -> None:
    assert f"`{metric}`" in _read("docs/reference/metrics.md")


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_and_option_has_help_and_is_in_its_reference(name: str) -> None:
    page = _read("docs/reference/cli.md")
    command = cli.commands[name]
    assert f"## watchbot {name}" in page
    assert command.help
    assert isinstance(command, Command | Group)
    assert command.examples
    for parameter in command.params:
        assert any(option in page for option in parameter.opts)


def test_help_is_fast_because_nothing_heavy_is_loaded() -> None:
    loaded = (
        "import sys, watchbot_cli.main; print([name for name in ('boto3', 'rich', 'aws_cdk') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_every_connection_in_the_docs_is_taken() -> None:
    stack = Stack(App(), "Connected", env=Environment(account="111122223333", region="eu-west-1"))
    names: dict[str, object] = {
        "stack": stack,
        "ecs": ecs,
        "secretsmanager": secretsmanager,
        "image": ecs.ContainerImage.from_registry("my/worker"),
        "cluster": ecs.Cluster(stack, "Cluster"),
    }
    examples = re.findall(r"```python\n(.*?)```", _read("docs/aws-connection.md"), re.DOTALL)
    for number, example in enumerate(examples):
        scope = Construct(stack, f"Example{number}")
        exec(example, names | {"Watchbot": lambda _, *rest, scope=scope, **given: Watchbot(scope, *rest, **given)})
        names["AwsConnection"] = watchbot_cdk.AwsConnection
    assert len(examples) == 5
