from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Duration, Stack

from tests.synth.template import image, placeholders, synth, synth_watchbot
from watchbot.contract import Metric
from watchbot_cdk import Watchbot


@pytest.fixture(scope="module")
def body() -> Any:
    return json.loads(placeholders(synth_watchbot().one("AWS::CloudWatch::Dashboard")["DashboardBody"]))


def test_a_dashboard_shows_what_a_service_does(body: Any) -> None:
    titles = [widget["properties"]["title"] for widget in body["widgets"]]
    assert titles == [
        "Queue",
        "Age of the oldest message",
        "Messages in and out",
        "Dwell: from sent to settled",
        "Duration of jobs",
        "Outcomes",
        "Tasks running",
        "Failures by kind",
        "Dead letters",
    ]


def test_widgets_fill_the_page_and_none_lies_on_another(body: Any) -> None:
    cells = [
        (x, y)
        for one in body["widgets"]
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]
    assert len(cells) == len(set(cells)) == 24 * 18


def test_every_metric_shown_is_of_this_service_and_written_by_it(body: Any) -> None:
    shown = [line for widget in body["widgets"] for line in widget["properties"]["metrics"] if len(line) > 1]
    ours = [line for line in shown if line[0] == "Watchbot"]
    assert {line[1] for line in ours} <= set(Metric)
    assert {tuple(line[2:4]) for line in ours} == {("Service", "Demo/svc")}
    queues = {line[3] for line in shown if line[0] == "AWS/SQS"}
    assert sorted(name.split("svc")[1][:5] for name in queues) == ["DeadL", "Queue"]
    assert {widget["properties"]["region"] for widget in body["widgets"]} == {"<{'Ref': 'AWS::Region'}>"}


def test_what_failed_without_a_kind_of_its_own_is_the_rest(body: Any) -> None:
    (failures,) = [
        one["properties"]["metrics"] for one in body["widgets"] if one["properties"]["title"] == "Failures by kind"
    ]
    (rest,) = [line[0]["expression"] for line in failures if len(line) == 1]
    assert rest == "FILL(errors, 0) - FILL(kind0, 0) - FILL(kind1, 0) - FILL(kind2, 0)"
    named = {line[4]["id"]: line[1] for line in failures if len(line) > 1 and "id" in line[4]}
    assert named == {"errors": "WorkerErrors", "kind0": "Rejected", "kind1": "DeadLettered", "kind2": "TimedOut"}


def test_the_dashboard_has_no_name_of_ours_and_can_be_left_out() -> None:
    def build(stack: Stack) -> None:
        assert Watchbot(stack, "one", image=image()).dashboard is not None
        assert Watchbot(stack, "two", image=image(), dashboard=False).dashboard is None

    (dashboard,) = synth(build).of_type("AWS::CloudWatch::Dashboard").values()
    assert "DashboardName" not in dashboard


def test_every_metric_of_watchers_has_a_method_with_aws_conventions() -> None:
    def build(stack: Stack) -> None:
        svc = Watchbot(stack, "svc", image=image())
        made = {}
        for metric in Metric:
            method = getattr(
                svc, "metric_" + "".join(f"_{c.lower()}" if c.isupper() else c for c in metric).lstrip("_")
            )
            made[metric] = method()
            assert (method().namespace, method().metric_name) == ("Watchbot", metric)
            assert method().dimensions == {"Service": "Demo/svc"}
        assert made[Metric.WORKER_ERRORS].statistic == "Sum"
        assert made[Metric.WORKER_DURATION].statistic == "Average"
        assert made[Metric.WORKER_ERRORS].period.to_seconds() == 300
        tuned = svc.metric_worker_duration(statistic="p99", period=Duration.minutes(1), label="slow", color="#ff0000")
        assert (tuned.statistic, tuned.period.to_seconds(), tuned.label, tuned.color) == ("p99", 60, "slow", "#ff0000")
        assert svc.metric_dead_letters().dimensions == {"QueueName": svc.dead_letter_queue.queue_name}
        assert svc.metric_oldest_message_age().metric_name == "ApproximateAgeOfOldestMessage"
        outstanding = svc.metric_outstanding(period=Duration.minutes(1))
        assert outstanding.expression == "(visible + FILL(hidden, 0))"
        assert outstanding.period.to_seconds() == 60
        outstanding.create_alarm(stack, "Busy", threshold=1, evaluation_periods=1)

    assert synth(build).one("AWS::CloudWatch::Alarm", "Busy")["Threshold"] == 1
