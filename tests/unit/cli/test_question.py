"""A JMESPath expression is asked of every letter, whatever is in it, or refused before any is looked at."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from watchbot_cli.dead_letter.question import Question
from watchbot_cli.errors import UsageError


def _document(message_id: str, **fields: Any) -> dict[str, Any]:
    return {"message_id": message_id, "message": "text", "subject": None, **fields}


def test_an_expression_is_not_true_of_a_letter_of_other_types_and_goes_on() -> None:
    question = Question("contains(subject, 'x')")
    documents = [_document("a"), _document("b", subject="xyz"), _document("c", subject=5), _document("d", subject="no")]
    assert [question.is_true_of(one) for one in documents] == [False, True, False, False]
    said = io.StringIO()
    question.tell_of_mismatches(Console(file=said, width=500))
    assert said.getvalue().startswith("--where was not true of 2 dead letters because of their types, such as a: ")


def test_a_text_that_is_searched_for_a_number_is_another_type_too() -> None:
    assert not Question("contains(message, `5`)").is_true_of(_document("a"))


def test_nothing_is_said_of_letters_that_could_be_asked() -> None:
    said = io.StringIO()
    question = Question("json.zoom > `1` || message == 'text'")
    assert question.is_true_of(_document("a"))
    question.tell_of_mismatches(Console(file=said))
    assert said.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a b", "is no JMESPath"),
        ("", "is no JMESPath"),
        ("`false` && lower(subject)", r"calls lower\(\), which is not one of JMESPath's functions: abs, avg"),
        ("json.list[?contains(@)]", r"gives 1 arguments to contains\(\), which takes 2"),
        ("merge()", r"gives 0 arguments to merge\(\), which takes 1 or more"),
    ],
)
def test_refuses_what_can_be_asked_of_no_letter(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Question(text)
