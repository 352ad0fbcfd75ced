"""The watcher image holds boto3's descriptions of a few services only."""

from __future__ import annotations

import ast
import re
from pathlib import Path

WATCHER = Path(__file__).parents[2] / "watcher"


def test_the_image_describes_every_service_that_is_called() -> None:
    tree = ast.parse((WATCHER / "runtime" / "assemble.py").read_text())
    assigned = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    described = ast.literal_eval(assigned["AWS_SERVICES"])
    sources = "".join(path.read_text() for path in (WATCHER / "watchbot").rglob("*.py"))
    called = set(re.findall(r'\.client\(\s*"([a-z0-9-]+)"', sources))
    assert {"dynamodb", "logs", "sns", "sqs"} <= called
    assert called == set(described)
