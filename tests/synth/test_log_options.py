"""What a service's log holds, and where it goes."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Size, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs_destinations as destinations

from tests.synth.template import image, synth, synth_watchbot, watcher_settings
from watchbot.contract import Isolation
from watchbot_cdk import Watchbot, WatchbotArgumentError

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["true"]}
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:aggregate"


def test_by_default_messages_are_shown_nothing_else_is_and_lines_stay_here() -> None:
    template = synth_watchbot(**PROCESS)
    settings = watcher_settings(template, "worker")
    assert (settings.log_message_bodies, settings.debug, settings.log_rate_bytes) == (True, False, 1_048_576)
    assert not template.of_type("AWS::Logs::SubscriptionFilter")


def test_the_watcher_reads_what_its_log_is_to_hold() -> None:
    settings = watcher_settings(
        synth_watchbot(log_message_bodies=False, debug=True, log_rate=Size.mebibytes(5), **PROCESS), "worker"
    )
    assert (settings.log_message_bodies, settings.debug, settings.log_rate_bytes) == (False, True, 5 * 1_048_576)


def test_every_line_is_sent_on_to_a_function_given_by_its_arn() -> None:
    def build(stack: Stack) -> None:
        function = lambda_.Function.from_function_attributes(
            stack, "Function", function_arn=FUNCTION, skip_permissions=True
        )
        destination = destinations.LambdaDestination(function, add_permissions=False)
        Watchbot(stack, "svc", image=image(), log_destination=destination)

    template = synth(build)
    sent_on = template.one("AWS::Logs::SubscriptionFilter")
    assert (sent_on["DestinationArn"], sent_on["FilterPattern"]) == (FUNCTION, "")
    assert "svcLogGroup" in sent_on["LogGroupName"]["Ref"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"log_message_bodies": "no"}, "log_message_bodies must be a bool, got 'no'"),
        ({"debug": 1}, "debug must be a bool, got 1"),
        ({"log_rate": 1000, **PROCESS}, "log_rate must be a Size or None, got 1000"),
        ({"log_rate": Size.bytes(10), **PROCESS}, "log_rate must be 1024 to 1073741824 bytes a second, got 10"),
        ({"log_rate": Size.mebibytes(1)}, "log_rate is for Isolation.PROCESS, got one with Isolation.TASK"),
        ({"log_destination": FUNCTION}, "log_destination must be a log subscription destination or None, got 'arn:"),
    ],
)
def test_refuses_by_name(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(WatchbotArgumentError) as caught:
        synth_watchbot(**arguments)
    assert says in str(caught.value)
    assert len(caught.value.problems) == 1
