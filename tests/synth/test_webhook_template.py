"""The webhook's templates: whatever a caller sends, SQS gets exactly that as a body and as attributes, and no more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.velocity import Input, TemplateError, Velocity
from watchbot_cdk.webhook_template import REFUSED, TAKEN, request_template

CONTEXT = {"requestTimeEpoch": 1_700_000_000_123, "extendedRequestId": "a/b+c="}
ATTRIBUTES = ("x-hub-signature-256", "x-github-event")


def _parameters(
    body: str,
    headers: Mapping[str, str],
    attributes: tuple[str, ...] = ATTRIBUTES,
    *,
    fifo: bool = False,
    verified: bool = False,
) -> dict[str, str]:
    """Render the request as API Gateway does and read it as SQS does."""
    velocity = Velocity(input=Input(body, headers), context=dict(CONTEXT))
    rendered = velocity.render(request_template(attributes, fifo=fifo, verified=verified))
    pairs = parse_qsl(rendered, keep_blank_values=True, strict_parsing=True)
    assert max(Counter(name for name, _ in pairs).values()) == 1
    return dict(pairs)


def _attributes(parameters: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Give SQS's attributes, whose numbers must have no gap."""
    names = [name for name in parameters if name.startswith("MessageAttribute.")]
    count = len(names) // 3
    assert len(names) == 3 * count
    found = {}
    for number in range(1, count + 1):
        prefix = f"MessageAttribute.{number}"
        value = parameters[f"{prefix}.Value.StringValue"]
        found[parameters[f"{prefix}.Name"]] = (parameters[f"{prefix}.Value.DataType"], value)
    return found


def _check(body: str, headers: Mapping[str, str], expected: Mapping[str, str]) -> None:
    parameters = _parameters(body, headers)
    assert parameters["Action"] == "SendMessage"
    assert parameters["MessageBody"] == body
    assert _attributes(parameters) == {
        "watchbot.WebhookTime": ("Number", "1700000000123"),
        **{name: ("String", value) for name, value in expected.items()},
    }
    assert {name.partition(".")[0] for name in parameters} == {"Action", "MessageBody", "MessageAttribute"}


HOSTILE = [
    '{"a": "it\'s \\"quoted\\""}',
    "a=1&Action=DeleteQueue&QueueUrl=https://sqs/theirs",
    "&MessageAttribute.1.Name=watchbot.WebhookTime&MessageAttribute.1.Value.StringValue=0",
    "100 % + %26 %%41 %u0041",
    "one\r\ntwo\n\ttabbed\n",
    "\u00fcber \U0001f680 \u2028 \u00a0",
    "#set($n = 9)#foreach($x in $y)$util.urlEncode($input.body)#end ${n} ## #* *#",
    "$context.responseOverride.status",
    " ",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_body_is_nothing_but_a_body(text: str) -> None:
    _check(text, {}, {})


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_header_is_nothing_but_an_attribute(text: str) -> None:
    _check("body", {"X-Hub-Signature-256": text}, {"x-hub-signature-256": text})


@given(st.text(), st.dictionaries(st.sampled_from(["X-Hub-Signature-256", "x-github-event", "X-Other"]), st.text()))
def test_any_request_arrives_as_it_is(body: str, headers: dict[str, str]) -> None:
    wanted = {name.lower(): value for name, value in headers.items() if value}
    _check(body, headers, {name: wanted[name] for name in ATTRIBUTES if name in wanted})


@pytest.mark.parametrize("name", ["X-Hub-Signature-256", "x-hub-signature-256", "X-HUB-SIGNATURE-256"])
def test_a_header_is_found_in_any_case(name: str) -> None:
    _check("body", {"Host": "x", name: "sha256=ab", "Accept": "*/*"}, {"x-hub-signature-256": "sha256=ab"})


def test_a_header_that_came_twice_in_other_cases_is_one_attribute() -> None:
    parameters = _parameters("body", {"X-GitHub-Event": "push", "x-github-event": "ping"})
    assert _attributes(parameters)["x-github-event"] == ("String", "ping")


def test_missing_and_empty_headers_leave_no_gap() -> None:
    _check("body", {"X-Hub-Signature-256": "", "X-GitHub-Event": "push"}, {"x-github-event": "push"})


def test_no_caller_can_take_the_mark_away_or_write_it() -> None:
    forged = {"watchbot.WebhookTime": "0", "Watchbot.WebhookTime": "0"}
    _check("body", {**forged, "X-GitHub-Event": "push"}, {"x-github-event": "push"})
    assert "watchbot.WebhookTime" in _attributes(_parameters("body", forged, ()))


def test_callers_that_have_a_key_are_verified_by_it_and_those_that_sign_are_not_yet() -> None:
    for verified, kind in ((True, "Number.verified"), (False, "Number")):
        found = _attributes(_parameters("body", {}, verified=verified))
        assert found == {"watchbot.WebhookTime": (kind, "1700000000123")}


def test_on_a_fifo_queue_every_request_is_a_message_and_all_are_one_group() -> None:
    parameters = _parameters("body", {"MessageGroupId": "theirs"}, fifo=True)
    assert (parameters["MessageGroupId"], parameters["MessageDeduplicationId"]) == ("webhook", "a/b+c=")
    assert "MessageGroupId" not in _parameters("body", {})


def test_the_request_is_one_line() -> None:
    """A line break between two parameters would be part of one of them."""
    for attributes in ((), ATTRIBUTES):
        assert "\n" not in request_template(attributes, fifo=True, verified=True)


def _answer(template: str, answer: object) -> tuple[int | None, dict[str, str]]:
    velocity = Velocity(input=Input(json.dumps(answer)), context={"responseOverride": {}})
    body: dict[str, str] = json.loads(velocity.render(template))
    return velocity.variables["context"]["responseOverride"].get("status"), body


def test_the_caller_is_told_the_id_of_the_message() -> None:
    answer = {"SendMessageResponse": {"SendMessageResult": {"MessageId": "id", "MD5OfMessageBody": "x"}}}
    assert _answer(TAKEN, answer) == (None, {"MessageId": "id"})


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        ("InvalidMessageContents", "Invalid characters", None),
        ("MissingParameter", "The request must contain the parameter MessageBody.", None),
        ("InvalidParameterValue", "Message (user) attribute 'x' value contains an invalid character", None),
        (
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than 1 MiB",
            413,
        ),
        ("RequestThrottled", "slow down", 503),
        ("KMS.DisabledException", "the key is disabled", 503),
        ("AWS.SimpleQueueService.NonExistentQueue", "no queue", 503),
    ],
)
def test_the_callers_faults_are_told_apart_from_ours(code: str, message: str, status: int | None) -> None:
    found, body = _answer(REFUSED, {"Error": {"Code": code, "Message": message, "Type": "Sender"}})
    assert found == status
    assert body.keys() == {"message"}


@pytest.mark.parametrize(
    "template",
    [
        "$unknown",
        "$n.Name",
        "$util.urlEncode($n)",
        "#if($n == 1)",
        "#end",
        "#if($n == 1)x#endy",
        "#if($n == 1)x#elsey#end",
        "$input.json('$')",
    ],
)
def test_refuses_templates_that_the_real_one_would_not_render(template: str) -> None:
    variables: dict[str, Any] = {"n": 1, "input": Input("x")}
    with pytest.raises((TemplateError, AttributeError)):
        Velocity(**variables).render(template)
