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
from watchbot_cli.simulation.peers import peers
from watchbot_cli.simulation.setting import Size
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import Workload, burst

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


@pytest.mark.parametrize(
    ("name", "custom_metrics", "metric_lambda", "alarm_metrics"),
    [
        ("QueueProcessingFargateService", 0, False, 2),
        ("ecs-watchbot 10", 1, True, 2),
        ("target tracking, waiting", 1, True, 2),
        ("target tracking, outstanding", 1, False, 6),
    ],
)
def test_others_pay_for_what_they_scale_with_and_not_for_the_watchers_metrics(
    name: str, custom_metrics: int, metric_lambda: bool, alarm_metrics: int
) -> None:
    ours = dataclasses.replace(fixed(1), custom_metrics=17)
    (peer,) = (one for one in peers(ours) if one.name == name)
    assert (peer.custom_metrics, peer.metric_lambda, peer.alarm_metrics) == (
        custom_metrics,
        metric_lambda,
        alarm_metrics,
    )
    figures = simulate(fixed(1), burst(1, lambda: 60), CALM)
    cost = breakdown(peer, figures, PRICES)
    assert (cost["Lambda"] > 0) is metric_lambda
    assert cost["metrics"] == pytest.approx(custom_metrics * 0.3 * figures.span_seconds / 3600 / 730)


def test_heartbeats_are_those_of_each_job() -> None:
    setting = fixed(1, workers=10)
    mixed, even = (Workload([0.0] * 2, durations) for durations in ([10.0, 130.0], [70.0, 70.0]))
    assert [simulate(setting, one, CALM).heartbeats for one in (mixed, even)] == [2, 2]
    short = simulate(setting, Workload([0.0] * 3, [1.0, 1.0, 130.0]), CALM)  # less than a minute on average
    assert short.heartbeats == 2
    assert breakdown(setting, short, PRICES)["SQS"] > 0.4e-6 * (3 + (6 + 2) / 10)


def test_a_million_messages_cost_what_was_derived_by_hand() -> None:
    size = Size(public_ip=False)
    logs, requests = 1.0, 0.4 * (1 + 2 / 4)
    process = million_messages(Isolation.PROCESS, size, 1, PRICES, workers=4, spot=False, start=0)
    assert process - logs - requests == pytest.approx(0.86, abs=0.005)  # a quarter of a second of a task each
    task = million_messages(Isolation.TASK, size, 1, PRICES, workers=1, spot=False, start=45)
    assert task - logs - 0.4 * 1.2 == pytest.approx(206, abs=0.5)  # a minute of a task each


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
