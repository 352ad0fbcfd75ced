"""What jobs can come from, beside the topic: topics of others, events, buckets and the clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack, TimeZone
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match

from tests.synth.template import Template, image, placeholders, synth
from watchbot_cdk import S3Event, Watchbot, WatchbotArgumentError

HERE = Environment(account="111111111111", region="eu-west-1")
FOREIGN_TOPIC = "arn:aws:sns:us-east-1:999999999999:jobs"
PAID = events.EventPattern(source=["shop"], detail_type=["Order Paid"])
EVERY_MINUTE = scheduler.ScheduleExpression.rate(Duration.minutes(1))


def _everything(stack: Stack) -> None:
    svc = Watchbot(stack, "svc", image=image())
    colours = {"colour": sns.SubscriptionFilter.string_filter(allowlist=["red"])}
    svc.subscribe_to(sns.Topic(stack, "Theirs"), filter_policy=colours)
    svc.subscribe_to(
        sns.Topic.from_topic_arn(stack, "Foreign", FOREIGN_TOPIC),
        filter_policy_with_message_body={"size": sns.FilterOrPolicy.filter(sns.SubscriptionFilter.exists_filter())},
    )
    svc.on_event(PAID, events.EventBus(stack, "Bus"))
    svc.on_event(events.EventPattern(source=["shop"]))
    svc.on_s3_event(s3.Bucket(stack, "Inbox"), prefix="in/")
    svc.on_schedule(
        scheduler.ScheduleExpression.cron(minute="30", hour="4", time_zone=TimeZone.EUROPE_BERLIN), '{"clean": "up"}'
    )
    svc.on_schedule(EVERY_MINUTE)
    rule = events.Rule(stack, "Own", event_pattern=events.EventPattern(source=["own"]))
    rule.add_target(svc.event_target())


@pytest.fixture(scope="module")
def everything() -> Template:
    return synth(_everything, environment=HERE)


@pytest.fixture(scope="module")
def ordered() -> Template:
    """The same into a FIFO queue."""

    def build(stack: Stack) -> None:
        svc = Watchbot(stack, "svc", image=image(), fifo=True)
        svc.subscribe_to(sns.Topic(stack, "Theirs", fifo=True))
        svc.on_event(PAID, message_group_id="orders")
        svc.on_s3_event(s3.Bucket(stack, "Inbox"), message_group_id="objects")
        svc.on_schedule(EVERY_MINUTE, message_group_id="clock")

    return synth(build)


def _watchbot(stack: Stack, **arguments: Any) -> Watchbot:
    return Watchbot(stack, "svc", **{"image": image(), **arguments})


def _subscription(template: Template, topic: str) -> Any:
    (found,) = [
        one for one in template.of_type("AWS::SNS::Subscription").values() if topic in placeholders(one["TopicArn"])
    ]
    return found


def _statements(template: Template, queue: str) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = template.one("AWS::SQS::QueuePolicy", queue)["PolicyDocument"]["Statement"]
    return statements


def _senders(template: Template, queue: str) -> dict[str, str]:
    """Give the services that may send, by the ARN for which each of them has to."""
    return {
        placeholders(statement["Condition"]["ArnEquals"]["aws:SourceArn"]): placeholders(
            statement["Principal"]["Service"]
        )
        for statement in _statements(template, queue)
        if statement["Effect"] == "Allow" and "sqs:SendMessage" in statement["Action"]
    }


def test_a_subscribed_topic_keeps_its_envelope_and_is_let_in_alone(everything: Template) -> None:
    subscription = _subscription(everything, "Theirs")
    assert "RawMessageDelivery" not in subscription
    assert subscription["FilterPolicy"] == {"colour": ["red"]}
    assert "FilterPolicyScope" not in subscription
    assert any("Theirs" in arn for arn in _senders(everything, "svcQueue"))


def test_a_topic_of_another_account_and_region_is_subscribed_to_where_it_is(everything: Template) -> None:
    subscription = _subscription(everything, "999999999999")
    assert (subscription["TopicArn"], subscription["Region"]) == (FOREIGN_TOPIC, "us-east-1")
    assert subscription["FilterPolicyScope"] == "MessageBody"
    assert subscription["FilterPolicy"] == {"size": [{"exists": True}]}
    assert _senders(everything, "svcQueue")[FOREIGN_TOPIC] == "sns.amazonaws.com"


def _rules(template: Template) -> dict[str, Any]:
    return {name[:-8]: rule for name, rule in template.of_type("AWS::Events::Rule").items()}


def test_every_rule_alone_may_send_its_events_as_they_are(everything: Template) -> None:
    assert set(_rules(everything)) == {"svcEvent", "svcEvent2", "svcS3Event", "Own"}
    for name, rule in everything.of_type("AWS::Events::Rule").items():
        (target,) = rule["Targets"]
        assert "svcQueue" in placeholders(target["Arn"])
        assert not {"Input", "InputPath", "InputTransformer", "SqsParameters"} & target.keys()
        for queue in ("svcQueue", "svcDeadLetterQueue"):
            assert _senders(everything, queue)[f"<{name}.Arn>"] == "events.amazonaws.com"


def test_events_that_cannot_be_delivered_are_dead_letters_unless_the_queue_is_fifo(
    everything: Template, ordered: Template
) -> None:
    for rule in _rules(everything).values():
        assert "svcDeadLetterQueue" in placeholders(rule["Targets"][0]["DeadLetterConfig"]["Arn"])
    for rule in _rules(ordered).values():
        assert "DeadLetterConfig" not in rule["Targets"][0]


def test_a_rule_is_on_the_bus_that_was_asked_for(everything: Template) -> None:
    rules = _rules(everything)
    assert rules["svcEvent"]["EventPattern"] == {"source": ["shop"], "detail-type": ["Order Paid"]}
    assert "Bus" in placeholders(rules["svcEvent"]["EventBusName"])
    assert "EventBusName" not in rules["svcEvent2"]


def test_events_and_schedules_have_the_group_that_a_fifo_queue_needs(ordered: Template) -> None:
    groups = {name: rule["Targets"][0]["SqsParameters"]["MessageGroupId"] for name, rule in _rules(ordered).items()}
    assert groups == {"svcEvent": "orders", "svcS3Event": "objects"}
    schedule = ordered.one("AWS::Scheduler::Schedule")
    assert schedule["Target"]["SqsParameters"] == {"MessageGroupId": "clock"}


def test_a_bucket_is_switched_on_without_any_function(everything: Template) -> None:
    bucket = everything.one("AWS::S3::Bucket", "Inbox")
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    kinds = {resource["Type"] for resource in everything.resources.values()}
    assert not any("Lambda" in kind or kind.startswith("Custom::") for kind in kinds)


def test_a_bucket_of_a_plain_template_keeps_its_own_notifications() -> None:
    def build(stack: Stack) -> None:
        lifecycle = s3.CfnBucket.TopicConfigurationProperty(event="s3:ObjectRemoved:*", topic=FOREIGN_TOPIC)
        plain = s3.CfnBucket(
            stack,
            "Plain",
            notification_configuration=s3.CfnBucket.NotificationConfigurationProperty(topic_configurations=[lifecycle]),
        )
        _watchbot(stack).on_s3_event(s3.Bucket.from_cfn_bucket(plain))

    configuration = synth(build).one("AWS::S3::Bucket", "Plain")["NotificationConfiguration"]
    assert configuration["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}
    assert len(configuration["TopicConfigurations"]) == 1


@pytest.mark.parametrize("order", ["notification first", "events first", "events twice"])
def test_a_bucket_whose_notifications_the_cdk_writes_is_switched_on_there_alone(order: str) -> None:
    """CDK's function writes all that the bucket tells of: what a property says beside it would be gone."""

    def build(stack: Stack) -> None:
        bucket, svc = s3.Bucket(stack, "Inbox"), _watchbot(stack)
        if order != "notification first":
            svc.on_s3_event(bucket)
        bucket.add_event_notification(
            s3.EventType.OBJECT_REMOVED, notifications.SnsDestination(sns.Topic(stack, "Removed"))
        )
        if order != "events first":
            svc.on_s3_event(bucket, [S3Event.OBJECT_DELETED])

    template = synth(build)
    configuration = template.one("Custom::S3BucketNotifications")["NotificationConfiguration"]
    assert configuration["EventBridgeConfiguration"] == {}
    assert len(configuration["TopicConfigurations"]) == 1
    assert "NotificationConfiguration" not in template.one("AWS::S3::Bucket", "Inbox")


@pytest.mark.parametrize(
    ("arguments", "kinds", "object_"),
    [
        ({}, ["Object Created"], None),
        ({"prefix": "in/"}, ["Object Created"], {"key": [{"prefix": "in/"}]}),
        ({"suffix": ".csv"}, ["Object Created"], {"key": [{"suffix": ".csv"}]}),
        ({"prefix": "a*b\\", "suffix": ".csv"}, ["Object Created"], {"key": [{"wildcard": "a\\*b\\\\*.csv"}]}),
        (
            {"events": [S3Event.OBJECT_DELETED, S3Event.OBJECT_RESTORE_COMPLETED]},
            ["Object Deleted", "Object Restore Completed"],
            None,
        ),
    ],
)
def test_the_events_of_a_bucket_are_matched_by_kind_and_key(
    arguments: dict[str, Any], kinds: list[str], object_: dict[str, Any] | None
) -> None:
    template = synth(lambda stack: _watchbot(stack).on_s3_event(s3.Bucket(stack, "Inbox"), **arguments))
    pattern = template.one("AWS::Events::Rule")["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.s3"], kinds)
    assert "Inbox" in placeholders(pattern["detail"]["bucket"]["name"][0])
    assert pattern["detail"].get("object") == object_


def _warnings(build: Callable[[Stack], object]) -> list[str]:
    stack = Stack(App(), "Demo")
    build(stack)
    found = Annotations.from_stack(stack).find_warning("/Demo/svc", Match.any_value())
    return [str(one.entry.data) for one in found]


def test_the_owner_of_a_foreign_bucket_is_told_what_to_switch_on() -> None:
    def build(stack: Stack) -> None:
        _watchbot(stack).on_s3_event(s3.Bucket.from_bucket_name(stack, "Foreign", "foreign"))

    (warning,) = _warnings(build)
    assert "Demo/Foreign is not of this app: no event arrives unless its owner has turned on Amazon Event" in warning


def test_the_order_of_a_fifo_topic_is_said_to_be_lost_in_a_standard_queue() -> None:
    (warning,) = _warnings(lambda stack: _watchbot(stack).subscribe_to(sns.Topic(stack, "Theirs", fifo=True)))
    assert "Demo/Theirs is a FIFO topic, whose order a standard queue does not keep; fifo=True keeps it" in warning


@pytest.mark.parametrize(
    ("expression", "message", "warns"),
    [
        ("rate(1 minute)", "same", True),
        ("rate(5 minutes)", "same", True),
        ("rate(6 minutes)", "same", False),
        ("cron(*/2 * * * ? *)", "same", True),
        ("cron(0 4 * * ? *)", "same", False),
        ("rate(1 minute)", "at <aws.scheduler.scheduled-time>", False),
        ("rate(1 minute)", None, False),
    ],
)
def test_the_same_message_too_often_for_a_fifo_queue_is_warned_of(
    expression: str, message: str | None, warns: bool
) -> None:
    def build(stack: Stack) -> None:
        schedule = scheduler.ScheduleExpression.expression(expression)
        _watchbot(stack, fifo=True).on_schedule(schedule, message, message_group_id="g")

    assert [("put <aws.scheduler.scheduled-time> into it" in one) for one in _warnings(build)] == [True] * warns


def _schedule(template: Template, number: str = "") -> Any:
    (found,) = [
        one for name, one in template.of_type("AWS::Scheduler::Schedule").items() if name[:-8] == f"svcSchedule{number}"
    ]
    return found


def test_a_schedule_sends_its_message_in_its_time_zone(everything: Template) -> None:
    first, second = _schedule(everything), _schedule(everything, "2")
    assert (first["ScheduleExpression"], first["ScheduleExpressionTimezone"]) == ("cron(30 4 * * ? *)", "Europe/Berlin")
    assert first["Target"]["Input"] == '{"clean": "up"}'
    assert json.loads(second["Target"]["Input"]) == {
        "schedule": "<aws.scheduler.schedule-arn>",
        "time": "<aws.scheduler.scheduled-time>",
    }


def test_all_schedules_send_as_one_role_that_only_our_scheduler_assumes(everything: Template) -> None:
    role = everything.one("AWS::IAM::Role", "svcScheduleRole")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    conditions = trust["Condition"]["StringEquals"]
    assert conditions["aws:SourceAccount"] == "111111111111"
    assert "scheduler:eu-west-1:111111111111:schedule-group/default" in placeholders(conditions["aws:SourceArn"])
    (statement,) = everything.statements("svcScheduleRole")
    assert statement["Action"] == "sqs:SendMessage"
    assert "svcQueue" in placeholders(statement["Resource"])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda svc, stack: svc.subscribe_to(FOREIGN_TOPIC),
            f"subscribe_to: topic must be a Topic, got '{FOREIGN_TOPIC}'",
        ),
        (
            lambda svc, stack: svc.subscribe_to(svc.topic),
            "subscribe_to: topic Demo/svc/Topic is subscribed already",
        ),
        (
            lambda svc, stack: svc.subscribe_to(sns.Topic(stack, "T"), filter_policy={"colour": ["red"]}),
            "subscribe_to: filter_policy must map names to SubscriptionFilter, got {'colour': ['red']}",
        ),
        (
            lambda svc, stack: svc.subscribe_to(sns.Topic(stack, "T"), filter_policy={}),
            "subscribe_to: filter_policy must map names to SubscriptionFilter, got {}",
        ),
        (
            lambda svc, stack: svc.subscribe_to(
                sns.Topic(stack, "T"),
                filter_policy={"a": sns.SubscriptionFilter.exists_filter()},
                filter_policy_with_message_body={
                    "a": sns.FilterOrPolicy.filter(sns.SubscriptionFilter.exists_filter())
                },
            ),
            "subscribe_to: filter_policy and filter_policy_with_message_body exclude each other",
        ),
        (lambda svc, stack: svc.on_event({"source": ["x"]}), "on_event: pattern must be a EventPattern, got {'source'"),
        (
            lambda svc, stack: svc.on_event(events.EventPattern()),
            "on_event: pattern must name at least one field of an event, such as source, got EventPattern()",
        ),
        (lambda svc, stack: svc.on_event(PAID, "default"), "on_event: event_bus must be an EventBus or None, got 'def"),
        (
            lambda svc, stack: svc.on_event(PAID, message_group_id="a group"),
            "on_event: message_group_id must be 1 to 100 letters, digits and punctuation marks, got 'a group'",
        ),
        (lambda svc, stack: svc.on_s3_event("mine"), "on_s3_event: bucket must be a Bucket, got 'mine'"),
        (
            lambda svc, stack: svc.on_s3_event(s3.Bucket(stack, "B"), ["Object Created"]),
            "on_s3_event: events must be a list of S3Event, got ['Object Created']",
        ),
        (
            lambda svc, stack: svc.on_s3_event(s3.Bucket(stack, "B"), prefix=""),
            "on_s3_event: prefix must be a text or None, got ''",
        ),
        (
            lambda svc, stack: svc.on_s3_event(s3.Bucket(Stack(stack.node.root, "There", env=_there()), "B")),
            "on_s3_event: bucket must be in region eu-west-1, got There/B in us-east-1",
        ),
        (
            lambda svc, stack: svc.on_schedule(events.Schedule.rate(Duration.hours(1))),
            "on_schedule: schedule must be a ScheduleExpression of aws_scheduler, got <aws_cdk.aws_events",
        ),
        (lambda svc, stack: svc.on_schedule(EVERY_MINUTE, ""), "on_schedule: message must be a text or None, got ''"),
        (
            lambda svc, stack: svc.on_schedule(EVERY_MINUTE, "ü" * 131_073),
            "on_schedule: message must be at most 262144 bytes, which EventBridge Scheduler sends, got 262146",
        ),
        (
            lambda svc, stack: svc.on_schedule(EVERY_MINUTE, message_group_id="g"),
            "on_schedule: message_group_id is for fifo=True, got 'g'",
        ),
    ],
)
def test_refuses_by_name_with_the_value_and_what_is_allowed(
    call: Callable[[Watchbot, Stack], object], says: str
) -> None:
    _refuses(call, says)


def _there() -> Environment:
    return Environment(account="111111111111", region="us-east-1")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda svc, stack: svc.subscribe_to(sns.Topic(stack, "T")),
            "subscribe_to: topic must be FIFO with fifo=True, got Demo/T, a standard topic",
        ),
        (lambda svc, stack: svc.on_event(PAID), "on_event: message_group_id is required with fifo=True, got None"),
        (
            lambda svc, stack: svc.on_s3_event(s3.Bucket(stack, "B")),
            "on_s3_event: message_group_id is required with fifo=True, got None",
        ),
        (
            lambda svc, stack: svc.on_schedule(EVERY_MINUTE),
            "on_schedule: message_group_id is required with fifo=True, got None",
        ),
        (lambda svc, stack: svc.event_target(), "event_target: message_group_id is required with fifo=True, got None"),
    ],
)
def test_refuses_what_a_fifo_queue_cannot_take(call: Callable[[Watchbot, Stack], object], says: str) -> None:
    _refuses(call, says, fifo=True)


def _refuses(call: Callable[[Watchbot, Stack], object], says: str, **arguments: Any) -> None:
    stack = Stack(App(), "Demo", env=HERE)
    svc = _watchbot(stack, **arguments)
    with pytest.raises(WatchbotArgumentError) as caught:
        call(svc, stack)
    assert str(caught.value).startswith(f"Watchbot Demo/svc: {says}")
    assert len(caught.value.problems) == 1


def test_refuses_more_senders_than_the_policy_of_a_queue_has_room_for() -> None:
    def build(stack: Stack) -> None:
        svc = _watchbot(stack)
        for number in range(18):
            svc.on_event(events.EventPattern(source=[f"source{number}"]))
        with pytest.raises(WatchbotArgumentError, match="the policy of the queue has 20 statements, the most that SQS"):
            svc.on_event(PAID)

    template = synth(build)
    assert len(_statements(template, "svcQueue")) == 20


def test_a_topic_whose_name_only_the_deployment_knows_is_taken_at_its_word() -> None:
    def build(stack: Stack) -> None:
        arn = CfnParameter(stack, "TopicArn").value_as_string
        _watchbot(stack, fifo=True).subscribe_to(sns.Topic.from_topic_arn(stack, "Foreign", arn))

    assert len(synth(build).of_type("AWS::SNS::Subscription")) == 2


@pytest.mark.parametrize(
    ("principal", "allows", "condition"),
    [
        (iam.AccountPrincipal("222222222222"), "222222222222", None),
        (iam.OrganizationPrincipal("o-abcdefghij"), "*", {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}),
    ],
)
def test_other_accounts_are_let_in_by_the_topic_and_the_queue(
    principal: iam.IPrincipal, allows: str, condition: dict[str, Any] | None
) -> None:
    def build(stack: Stack) -> None:
        svc = _watchbot(stack)
        svc.grant_publish(principal)
        svc.grant_send(principal)

    template = synth(build)
    for kind, action in (("AWS::SNS::TopicPolicy", "sns:Publish"), ("AWS::SQS::QueuePolicy", "sqs:SendMessage")):
        policy = template.one(kind, "svcTopic" if "SNS" in kind else "svcQueue")["PolicyDocument"]
        (statement,) = [
            one
            for one in policy["Statement"]
            if one["Effect"] == "Allow" and action in one["Action"] and "AWS" in one["Principal"]
        ]
        assert allows in placeholders(statement["Principal"]["AWS"])
        assert statement.get("Condition") == condition


def test_every_source_may_use_the_key_that_the_queues_are_under() -> None:
    def build(stack: Stack) -> None:
        svc = _watchbot(stack, encryption_key=kms.Key(stack, "Key"))
        svc.subscribe_to(sns.Topic(stack, "Theirs"))
        svc.on_event(PAID)
        svc.on_schedule(EVERY_MINUTE)
        svc.grant_redrive(iam.Role(stack, "Operator", assumed_by=iam.AccountRootPrincipal()))

    template = synth(build)
    services = [
        placeholders(statement["Principal"].get("Service", ""))
        for statement in template.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
        if "kms:Decrypt" in statement["Action"]
    ]
    assert {"sns.amazonaws.com", "events.amazonaws.com"} <= set(services)
    for role in ("svcScheduleRole", "Operator"):
        assert "kms:Decrypt" in str(template.statements(role))


REDRIVE = {
    "sqs:StartMessageMoveTask",
    "sqs:ListMessageMoveTasks",
    "sqs:CancelMessageMoveTask",
    "sqs:ReceiveMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:PurgeQueue",
}


def test_an_operator_can_redrive_and_purge_and_nothing_else() -> None:
    def build(stack: Stack) -> None:
        operator = iam.Role(stack, "Operator", assumed_by=iam.AccountRootPrincipal())
        assert _watchbot(stack).grant_redrive(operator).success

    dead_letters, queue = synth(build).statements("Operator")
    assert set(dead_letters["Action"]) == REDRIVE
    assert "svcDeadLetterQueue" in placeholders(dead_letters["Resource"])
    assert queue["Action"] == ["sqs:SendMessage", "sqs:GetQueueAttributes"]
    assert "svcQueue" in placeholders(queue["Resource"])
