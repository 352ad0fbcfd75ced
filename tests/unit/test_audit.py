"""The audit of the pins fails for a vulnerable package, and for nothing that a network may be."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

VERDICT = runpy.run_path(str(Path(__file__).parents[2] / ".ci" / "audit.py"))["verdict"]
SOUND: dict[str, Any] = {"name": "boto3", "version": "1.44.5", "vulns": []}
SKIPPED = {"name": "six", "skip_reason": "not found"}
VULNERABLE: dict[str, Any] = {"name": "urllib3", "version": "1.0", "vulns": [{"id": "PYSEC-1"}, {"id": "GHSA-2"}]}


@pytest.mark.parametrize(
    ("found", "passes", "sentence"),
    [
        ([SOUND, SOUND], True, "audit of pins: 2 packages without a known vulnerability"),
        ([SOUND, SKIPPED], True, "audit of pins: 1 packages without a known vulnerability, 1 could not be looked up"),
        (
            [SKIPPED, SKIPPED],
            True,
            "audit of pins skipped: no vulnerability service that can be reached knows its packages",
        ),
        (
            [SOUND, SKIPPED, VULNERABLE],
            False,
            "audit of pins: 1 packages have known vulnerabilities\n  urllib3 1.0: PYSEC-1, GHSA-2",
        ),
    ],
)
def test_only_a_known_vulnerability_fails(found: list[dict[str, Any]], passes: bool, sentence: str) -> None:
    assert VERDICT("pins", found) == (passes, sentence)
