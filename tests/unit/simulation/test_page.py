"""The page: what is on it, and that its charts can be compared."""

from __future__ import annotations

import dataclasses
import html.parser
import re

import pytest

from tests.unit.simulation.settings import CALM, scaled
from watchbot_cli.simulation.cost import Prices
from watchbot_cli.simulation.page import page
from watchbot_cli.simulation.page_chart import Series, axes_of, chart
from watchbot_cli.simulation.peers import peers
from watchbot_cli.simulation.run import Run
from watchbot_cli.simulation.workload import burst

WORKLOAD = burst(300, lambda: 60)
PRICES = Prices.read()


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    settings = [scaled(20), *peers(scaled(20)), dataclasses.replace(scaled(10), name="<ten>", notes=("a note",))]
    return [Run.of(one, WORKLOAD, CALM, PRICES) for one in settings]


@pytest.fixture(scope="module")
def text(runs: list[Run]) -> str:
    return page(runs, WORKLOAD, PRICES, ["--jobs 300", "--seed 1"])


def _charts(text: str) -> list[str]:
    return re.findall(r"<figure>.*?</figure>", text)


def test_every_chart_has_ticks_on_both_axes_and_a_title(text: str) -> None:
    for one in _charts(text):
        assert len(re.findall(r'class="tick mid"[^>]*>\d', one)) >= 3
        assert len(re.findall(r'class="tick end"[^>]*>\d', one)) >= 3
        assert "<figcaption>messages outstanding<" in one or "<figcaption>tasks running" in one


def test_charts_of_the_same_quantity_have_the_same_axes(text: str) -> None:
    for what in ("messages outstanding", "tasks running"):
        found = {re.sub(r"<pol.*?/>", "", re.sub(r"<figcaption>.*?</figcaption>|aria-label=.[^\"]*.", "", one))
                 for one in _charts(text) if what in one}  # fmt: skip
        assert len(found) == 1, what


def test_all_runs_are_in_common_charts_with_a_legend(runs: list[Run], text: str) -> None:
    messages, tasks = (one for one in _charts(text)[:2])
    for number, run in enumerate(runs):
        name = run.setting.name.replace("<", "&lt;").replace(">", "&gt;")
        assert re.search(rf'<li><svg[^>]*><line class="run run{number}"[^>]*/></svg>{re.escape(name)}</li>', text)
        assert f'class="run run{number}"' in messages
        assert f'class="run run{number}"' in tasks
        assert f".run{number} {{ stroke: #" in text


def test_one_run_needs_no_common_chart(runs: list[Run]) -> None:
    alone = page(runs[:1], WORKLOAD, PRICES, [])
    assert len(_charts(alone)) == 2
    assert "All together" not in alone


def test_a_run_that_takes_much_longer_leaves_the_others_room_and_is_named(runs: list[Run], text: str) -> None:
    shortest = min(run.figures.span_seconds for run in runs)
    longer = [run.setting.name for run in runs if run.figures.span_seconds > 3 * shortest]
    assert longer
    (said,) = re.findall(r"<p>The charts end at [^<]*</p>", text)
    assert all(name in said for name in longer)
    right = max(float(x) for points in re.findall(r'points="([^"]*)"', text) for x in re.findall(r"([\d.]+),", points))
    assert right <= 720 - 14


def test_it_says_its_conditions_its_notes_and_what_is_not_priced(text: str) -> None:
    for said in ("--jobs 300", "--seed 1", "a note", "Not in it: SNS"):
        assert said in text


def test_it_is_one_document_that_fits_a_narrow_window(text: str) -> None:
    assert not re.search(r"https?:|src=|href=|<script|@import|url\(", text)
    assert "white-space: nowrap" in text  # no number is parted from its unit
    assert text.count('<div class="wide">') == len(_charts(text)) + 1  # charts and table scroll by themselves
    assert 'name="viewport"' in text
    parser = _Balanced()
    parser.feed(text)
    assert parser.open == []


class _Balanced(html.parser.HTMLParser):
    """Keeps the elements that are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(("highest", "top", "ticks"), [(0, 1, 2), (1, 1, 2), (7, 8, 5), (100, 100, 6), (1234, 1500, 4)])
def test_an_axis_ends_at_a_tick_above_the_highest_value(highest: float, top: float, ticks: int) -> None:
    axes = axes_of(600, highest)
    assert axes.highest == top
    assert chart("t", axes, []).count('"tick end"') == ticks


@pytest.mark.parametrize(
    ("seconds", "last"), [(0, "1 min"), (600, "10 min"), (3600, "60 min"), (86_400, "24 h"), (14 * 86_400, "14 d")]
)
def test_times_have_the_unit_that_suits_the_axis(seconds: float, last: str) -> None:
    assert re.findall(r'"tick mid"[^>]*>([^<]*)<', chart("t", axes_of(seconds, 5), []))[-1] == last


def test_what_is_later_than_the_axis_is_left_out() -> None:
    drawn = chart("t", axes_of(600, 5), [Series("k", [0, 300, 600, 900], [1, 2, 3, 4]), Series("none", [900], [1])])
    (points,) = re.findall(r'points="([^"]*)"', drawn)
    assert len(points.split()) == 3
