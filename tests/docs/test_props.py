"""The reference of arguments is the one that the code says."""

from __future__ import annotations

import inspect
import runpy
from pathlib import Path

import pytest

from watchbot_cdk import Watchbot

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "props_page.py"))

pytestmark = pytest.mark.xdist_group("synth")


def test_the_page_is_the_one_the_code_says() -> None:
    assert SCRIPT["PAGE"].read_text() == SCRIPT["page"](), "run make props-page"


def test_every_argument_says_what_happens_by_default() -> None:
    rows = {argument.name: argument for argument in SCRIPT["arguments"]()}
    keywords = [
        name
        for name, parameter in inspect.signature(Watchbot.__init__).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    assert list(rows) == keywords
    assert all(row.default and row.meaning for row in rows.values())
    assert (rows["image"].default, rows["watchers"].default) == ("required", "`1`")
    assert rows["isolation"].default == "`Isolation.TASK`"
    assert (rows["retention_period"].default, rows["retention_period"].kind) == ("4 days", "Duration")


def test_only_arguments_have_a_name_of_the_predecessor() -> None:
    names = {argument.name for argument in SCRIPT["arguments"]()}
    assert set(SCRIPT["PREDECESSOR"]) <= names


@pytest.mark.parametrize("text", ["kept for a while.", "4 days by default.", "a; by default b; c by default."])
def test_refuses_a_text_that_does_not_say_one_default(text: str) -> None:
    with pytest.raises(ValueError, match="retention_period must have one clause with 'by default'"):
        SCRIPT["behaviour"]("retention_period", text)


def test_what_happens_by_default_is_taken_out_of_its_sentence() -> None:
    divided = SCRIPT["behaviour"]("log_rate", "bytes a second; 1 MiB by default. What is over is dropped.")
    assert divided == ("1 MiB", "bytes a second. What is over is dropped.")
