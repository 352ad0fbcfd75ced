"""What it costs, checked by hand."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from tests.unit.simulation.settings import CALM, fixed, scaled
from watchbot.contract import Isolation
from watchbot_cli.simulation.cost import Prices, breakdown, million_messages
from watchbot_cli.simulation.costs_table import costs_table
from watchbot_cli.simulation.ledger import TaskTime
from watchbot_cli.simulation.peers import backlog_trackings
from watchbot_cli.simulation.setting import Size
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import burst

PRICES = Prices.read()


def test_the_prices_have_a_date_and_a_source() -> None:
    assert datetime.date.fromisoformat(PRICES.as_of).year >= 2026
    assert PRICES.source.count("https://aws.amazon.com/") == 5


def test_an_hour_of_a_task_costs_its_vcpu_and_memory() -> None:
    assert PRICES.task_hour(Size(0.25, 0.5)) == pytest.approx(0.0123425)
    assert PRICES.task_hour(Size(0.25, 0.5, arm=True)) == pytest.approx(0.009875)


def test_a_task_is_billed_for_a_minute_at_least() -> None:
    time = TaskTime()
    time.add(10, spot=False)
    time.add(90, spot=True)
    assert (time.seconds, time.billed_seconds, time.spot_billed_seconds) == (100, 150, 90)


def test_compute_and_addresses_are_those_of_the_task_hours() -> None:
    figures = simulate(scaled(10), burst(100, lambda: 600), CALM)
    cost = breakdown(scaled(10), figures, PRICES)
    assert cost["compute"] == pytest.approx(figures.task_hours * 0.0123425)
    assert cost["public IPv4"] == pytest.approx(figures.task_hours * 0.005)
    assert cost["Lambda"] == 0


def test_spot_and_private_tasks_cost_less() -> None:
    spot = dataclasses.replace(fixed(5), spot_share=1.0, size=Size(public_ip=False))
    cost = breakdown(spot, simulate(spot, burst(100, lambda: 60), CALM), PRICES)
    full = breakdown(fixed(5), simulate(fixed(5), burst(100, lambda: 60), CALM), PRICES)
    assert cost["compute"] == pytest.approx(0.3 * full["compute"])
    assert cost["public IPv4"] == 0 < full["public IPv4"]


def test_a_metric_of_ones_own_costs_a_lambda_function() -> None:
    waiting, outstanding = backlog_trackings(fixed(1))
    figures = simulate(fixed(1), burst(1, lambda: 60), CALM)
    assert breakdown(waiting, figures, PRICES)["Lambda"] > 0 == breakdown(outstanding, figures, PRICES)["Lambda"]


def test_a_task_for_each_message_costs_a_minute_of_it() -> None:
    cost = million_messages(Isolation.TASK, Size(public_ip=False), 1, PRICES, workers=1, spot=False, start=45)
    assert cost == pytest.approx(1e6 * 0.0123425 / 60 + 0.4 * 1.2 + 1, rel=1e-3)


def test_processes_share_their_task() -> None:
    size = Size(public_ip=False)
    one, four = (
        million_messages(Isolation.PROCESS, size, 1, PRICES, workers=workers, spot=False, start=0) for workers in (1, 4)
    )
    assert one - 1 - 0.4 * 3 == pytest.approx(4 * (four - 1 - 0.4 * 1.5))


def test_the_table_of_costs_has_every_isolation_and_capacity() -> None:
    table = costs_table(1, 45, PRICES).to_dict()["usd_per_million_messages"]
    assert {name.partition(",")[0] for name in table} == {"PROCESS", "TASK"}
    for row in table.values():
        assert row["Spot ARM"] < row["Spot"] < row["Fargate"]
        assert row["Spot ARM"] < row["Fargate ARM"] < row["Fargate"]
    assert table["TASK"]["Fargate"] > 40 * table["PROCESS, workers=1"]["Fargate"]
