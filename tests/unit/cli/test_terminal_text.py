"""Text of others steers no terminal, and its value as JSON stays the same."""

from __future__ import annotations

import io
import json
import unicodedata

import pytest
from rich.console import Group
from rich.table import Table
from rich.text import Text

from watchbot_cli.output import HarmlessConsole, json_line
from watchbot_cli.terminal_text import harmless, one_line

HOSTILE = "a\x1b]52;c;Z\x07\x1b[2J\r\x08\x7f\x9b8m\u202e\u2066\u2028\u200b\ufeff\U000e0041\ud800[/] [red]b"


@pytest.mark.parametrize("number", [*range(0x20), *range(0x7F, 0xA0)])
def test_every_control_character_is_spelled_out_but_tab_and_newline(number: int) -> None:
    character = chr(number)
    assert harmless(character) == (character if character in "\t\n" else f"\\x{number:02x}")
    assert one_line(character) == f"\\x{number:02x}"


def test_what_turns_text_round_or_hides_it_is_spelled_out() -> None:
    assert harmless("\u202eexe\u2028\u200b\ud800\U000e0041") == r"\u202eexe\u2028\u200b\ud800\U000e0041"
    kinds = {chr(number) for number in range(0x110000) if unicodedata.bidirectional(chr(number)) in _TURNING}
    assert all(harmless(one) != one for one in kinds)


_TURNING = ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")


@pytest.mark.parametrize("text", ["schön 😀", "👩\u200d👩\u200d👧", "❤\ufe0f", "שלום", "a\tb\nc", r"\x1b"])
def test_what_people_write_is_left_alone(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_json_is_valid_and_says_the_same_without_one_such_character(encoding: str) -> None:
    value = {HOSTILE: [HOSTILE, {"deep": HOSTILE}], "schön": 1}
    line = json_line(value, encoding)
    assert json.loads(line) == value
    assert one_line(line) == line
    assert ("schön" in line) is (encoding == "utf-8")


def test_whatever_is_drawn_is_harmless_and_no_markup() -> None:
    table = Table(HOSTILE, title=HOSTILE)
    table.add_row(HOSTILE)
    shown = io.StringIO()
    console = HarmlessConsole(file=shown, force_terminal=True, color_system=None, width=300)
    console.print(HOSTILE, Group(table, Text(HOSTILE), HOSTILE))
    console.rule(HOSTILE)
    text = shown.getvalue()
    assert harmless(text) == text
    assert text.count("[/] [red]b") == 7
