"""The topic that people are told on: who is subscribed, who may publish, and what the watcher may do for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from tests.synth.template import Template, image, placeholders, synth, synth_watchbot, watcher_settings
from watchbot_cdk import Alarms, Isolation, Watchbot, WatchbotArgumentError

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["work"]}
HERE = Environment(account="123456789012", region="eu-west-1")
ALARMS = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.fixture(scope="module")
def default() -> Template:
    return synth_watchbot()


@pytest.fixture(scope="module")
def told() -> Template:
    return synth_watchbot(notification_email="ops@example.com", notify_on_each_failure=True)


def _own(template: Template) -> str:
    (topic,) = [name for name in template.of_type("AWS::SNS::Topic") if name.startswith("svcNotificationTopic")]
    return topic


def _policy(template: Template, topic: str) -> list[dict[str, Any]]:
    """Give the statements of a topic's policy."""
    return [
        statement
        for policy in template.of_type("AWS::SNS::TopicPolicy").values()
        if policy["Topics"] == [{"Ref": topic}]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def _rights(template: Template, role: str) -> dict[str, list[str]]:
    """Give the resources of each action on SNS, CloudWatch Logs and KMS that a role has."""
    rights: dict[str, list[str]] = {}
    for statement in template.statements(role):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for action in actions:
            if action.startswith(("sns:", "logs:", "kms:")):
                rights.setdefault(action, []).extend(map(placeholders, resources))
    return rights


def test_by_default_there_is_a_topic_that_nobody_has_subscribed_to(default: Template) -> None:
    topic = _own(default)
    assert [one["TopicArn"] for one in default.of_type("AWS::SNS::Subscription").values()] != [{"Ref": topic}]
    assert len(default.of_type("AWS::SNS::Subscription")) == 1


def test_alarms_of_the_account_may_publish_and_nobody_without_tls(default: Template) -> None:
    topic = _own(default)
    deny, allow = sorted(_policy(default, topic), key=lambda statement: statement["Effect"], reverse=True)
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert (allow["Effect"], allow["Action"], allow["Resource"]) == ("Allow", "sns:Publish", {"Ref": topic})
    assert allow["Condition"] == ALARMS


def test_nobody_gets_a_right_for_what_was_not_asked_for(default: Template) -> None:
    assert _rights(default, "WatcherTaskTaskRole") == {}
    assert "WATCHBOT_NOTIFICATION_TOPIC_ARN" not in default.environment("watcher")


def test_an_address_is_subscribed(told: Template) -> None:
    topic = {"Ref": _own(told)}
    (mail,) = [one for one in told.of_type("AWS::SNS::Subscription").values() if one["Protocol"] == "email"]
    assert mail == {"Protocol": "email", "Endpoint": "ops@example.com", "TopicArn": topic}


def test_the_watcher_may_publish_to_this_topic_and_read_its_workers_logs(told: Template) -> None:
    (log_group,) = [name for name in told.of_type("AWS::Logs::LogGroup") if name.startswith("svc")]
    where = "arn:<{'Ref': 'AWS::Partition'}>:logs:<{'Ref': 'AWS::Region'}>:<{'Ref': 'AWS::AccountId'}>"
    assert _rights(told, "WatcherTaskTaskRole") == {
        "sns:Publish": [f"<{{'Ref': '{_own(told)}'}}>"],
        "logs:GetLogEvents": [f"{where}:log-group:<{{'Ref': '{log_group}'}}>:log-stream:watchbot/worker/*"],
    }
    assert "WATCHBOT_NOTIFICATION_TOPIC_ARN" in told.environment("watcher")
    assert told.environment("watcher")["WATCHBOT_NOTIFICATION_TOPIC_ARN"] == {"Ref": _own(told)}


def test_the_streams_read_are_those_that_workers_write(told: Template) -> None:
    options = told.container("worker")["LogConfiguration"]["Options"]
    assert options["awslogs-stream-prefix"] == "watchbot"
    assert watcher_settings(told).log_group is not None


def test_the_workers_own_role_cannot_tell_anyone(told: Template) -> None:
    assert _rights(told, "WorkerTaskTaskRole").get("logs:GetLogEvents") is None
    assert f"<{{'Ref': '{_own(told)}'}}>" not in _rights(told, "WorkerTaskTaskRole")["sns:Publish"]


def test_processes_need_no_right_to_logs_and_know_how_many_watchers_share_a_mailbox() -> None:
    template = synth_watchbot(**PROCESS, notify_on_each_failure=True, watchers=7)
    rights = _rights(template, "svcTaskTaskRole")
    assert f"<{{'Ref': '{_own(template)}'}}>" in rights["sns:Publish"]
    assert "logs:GetLogEvents" not in rights
    assert watcher_settings(template, "worker").watchers == 7


def test_several_addresses_keep_their_ids_when_one_goes() -> None:
    addresses = ["a@example.com", "b@example.com"]
    both = synth_watchbot(notification_email=addresses).of_type("AWS::SNS::Subscription")
    one = synth_watchbot(notification_email=addresses[1:]).of_type("AWS::SNS::Subscription")
    assert both.keys() > one.keys()


def test_an_address_may_be_known_only_at_deployment() -> None:
    def build(stack: Stack) -> None:
        address = CfnParameter(stack, "Mail")
        Watchbot(stack, "svc", image=image(), notification_email=address.value_as_string)

    template = synth(build)
    (mail,) = [one for one in template.of_type("AWS::SNS::Subscription").values() if one["Protocol"] == "email"]
    assert mail["Endpoint"] == {"Ref": "Mail"}


def _given(make: Callable[[Stack], sns.ITopic], **arguments: Any) -> Template:
    def build(stack: Stack) -> None:
        topic = make(stack)
        watchbot = Watchbot(stack, "svc", image=image(), notification_topic=topic, **arguments)
        assert watchbot.notification_topic is topic

    return synth(build)


def _names(template: Template) -> list[str]:
    return [name for name in template.of_type("AWS::SNS::Topic") if not name.startswith("svcTopic")]


def test_a_given_topic_is_taken_and_its_default_policy_kept() -> None:
    template = _given(lambda stack: sns.Topic(stack, "Mine"), notify_on_each_failure=True)
    (mine,) = _names(template)
    assert _policy(template, mine) == []
    assert template.environment("watcher")["WATCHBOT_NOTIFICATION_TOPIC_ARN"] == {"Ref": mine}
    assert _rights(template, "WatcherTaskTaskRole")["sns:Publish"] == [f"<{{'Ref': '{mine}'}}>"]


def test_a_given_topic_with_a_policy_lets_alarms_publish_too() -> None:
    template = _given(lambda stack: sns.Topic(stack, "Mine", enforce_ssl=True))
    (mine,) = _names(template)
    (allow,) = [statement for statement in _policy(template, mine) if statement["Effect"] == "Allow"]
    assert (allow["Principal"], allow["Condition"]) == ({"Service": "cloudwatch.amazonaws.com"}, ALARMS)


def test_an_encrypted_topic_comes_with_the_right_to_its_key() -> None:
    template = _given(
        lambda stack: sns.Topic(stack, "Mine", master_key=kms.Key(stack, "Key")), notify_on_each_failure=True
    )
    (key,) = template.of_type("AWS::KMS::Key")
    rights = _rights(template, "WatcherTaskTaskRole")
    assert rights["kms:GenerateDataKey"] == rights["kms:Decrypt"] == [f"<{key}.Arn>"]


def _users_of_the_key(template: Template) -> list[str]:
    statements = template.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    return [one["Principal"]["Service"] for one in statements if "Service" in one["Principal"]]


@pytest.mark.parametrize(
    ("alarms", "users"), [(Alarms(), ["cloudwatch.amazonaws.com"]), (Alarms.off(), [])], ids=["alarms", "none"]
)
def test_alarms_may_use_the_key_of_a_given_topic(alarms: Alarms, users: list[str]) -> None:
    """CloudWatch says nowhere but in the alarm's history that it could not."""
    template = _given(lambda stack: sns.Topic(stack, "Mine", master_key=kms.Key(stack, "Key")), alarms=alarms)
    assert _users_of_the_key(template) == users


def test_alarms_may_use_the_key_that_a_given_topic_shares_with_the_service() -> None:
    def build(stack: Stack) -> None:
        key = kms.Key(stack, "Key")
        topic = sns.Topic(stack, "Mine", master_key=key)
        Watchbot(stack, "svc", image=image(), encryption_key=key, notification_topic=topic)

    assert _users_of_the_key(synth(build)).count("cloudwatch.amazonaws.com") == 1


def test_a_key_of_a_given_topic_that_cannot_be_changed_is_warned_of() -> None:
    app = App()
    stack = Stack(app, "Demo", env=HERE)
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:123456789012:key/1")
    topic = sns.Topic(stack, "Mine", master_key=key)
    Watchbot(stack, "svc", image=image(), notification_topic=topic)
    messages = [str(one.entry.data) for one in app.synth().get_stack_by_name("Demo").messages]
    (warning,) = [message for message in messages if "keyPolicy" in message]
    assert warning.startswith(
        "the policy of the key of notification_topic cannot be changed from this app; it has to allow the services "
        "cloudwatch kms:Decrypt, kms:GenerateDataKey* (with aws:SourceAccount this account)"
    )


def test_an_imported_topic_is_taken_as_it_is() -> None:
    arn = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:ops"
    template = _given(lambda stack: sns.Topic.from_topic_arn(stack, "Ops", arn), notify_on_each_failure=True)
    assert _names(template) == []
    assert template.environment("watcher")["WATCHBOT_NOTIFICATION_TOPIC_ARN"] == arn
    assert _rights(template, "WatcherTaskTaskRole")["sns:Publish"] == [arn]


def _problems(**arguments: Any) -> tuple[str, ...]:
    with pytest.raises(WatchbotArgumentError) as caught:
        Watchbot(Stack(App(), "Demo"), "svc", image=image(), **arguments)
    return caught.value.problems


@pytest.mark.parametrize(
    ("email", "problem"),
    [
        ("ops", "notification_email must be an address such as ops@example.com, got 'ops'"),
        ("", "notification_email must be an address such as ops@example.com, got ''"),
        ("a@b.c, d@e.f", "notification_email must be an address such as ops@example.com, got 'a@b.c, d@e.f'"),
        (
            "ops,dev@example.com",
            "notification_email must be an address such as ops@example.com, got 'ops,dev@example.com'",
        ),
        ("mailto: ops@example.com", "notification_email must be an address"),
        (f"{'a' * 251}@b.c", "notification_email must be an address"),
        ([], "notification_email must be at least one address, got none"),
        (["a@b.c", "a@b.c"], "notification_email must name each address once, got 'a@b.c' 2 times"),
        (7, "notification_email must be an address, a list of addresses or None, got 7"),
        ([7], "notification_email must be an address, a list of addresses or None, got [7]"),
    ],
)
def test_refuses_what_is_no_address(email: Any, problem: str) -> None:
    (said,) = _problems(notification_email=email)
    assert said.startswith(problem)


def test_refuses_an_address_and_a_topic_at_once() -> None:
    topic = sns.Topic(Stack(App(), "Other"), "Mine")
    (said,) = _problems(notification_email="ops@example.com", notification_topic=topic)
    assert said.startswith("notification_email and notification_topic cannot both be given")


def test_refuses_what_is_no_topic_or_no_flag() -> None:
    assert _problems(notification_topic="arn:topic", notify_on_each_failure="yes") == (
        "notification_topic must be a Topic or None, got 'arn:topic'",
        "notify_on_each_failure must be a bool, got 'yes'",
    )


def test_refuses_a_fifo_topic() -> None:
    topic = sns.Topic(Stack(App(), "Other"), "Mine", fifo=True)
    (said,) = _problems(notification_topic=topic)
    assert said.startswith("notification_topic must be a standard topic, got a FIFO topic")


ELSEWHERE = "arn:aws:sns:us-east-1:123456789012:ops"


def test_refuses_a_topic_of_another_region_which_alarms_cannot_tell() -> None:
    stack = Stack(App(), "Demo", env=HERE)
    with pytest.raises(WatchbotArgumentError) as caught:
        Watchbot(stack, "svc", image=image(), notification_topic=sns.Topic.from_topic_arn(stack, "Ops", ELSEWHERE))
    (said,) = caught.value.problems
    assert said.startswith("notification_topic must be in region eu-west-1, got Demo/Ops in us-east-1: alarms tell")


@pytest.mark.parametrize(
    ("environment", "alarms"), [(HERE, Alarms.off()), (None, Alarms())], ids=["no alarms", "a region not known"]
)
def test_a_topic_of_another_region_is_for_failed_jobs_alone(environment: Environment | None, alarms: Alarms) -> None:
    def build(stack: Stack) -> None:
        topic = sns.Topic.from_topic_arn(stack, "Ops", ELSEWHERE)
        Watchbot(stack, "svc", image=image(), notification_topic=topic, notify_on_each_failure=True, alarms=alarms)

    template = synth(build, environment=environment)
    assert template.environment("watcher")["WATCHBOT_NOTIFICATION_TOPIC_ARN"] == ELSEWHERE


def test_others_may_be_let_publish_to_the_services_own_topic() -> None:
    def build(stack: Stack) -> None:
        watchbot = Watchbot(stack, "svc", image=image())
        watchbot.notification_topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                resources=[watchbot.notification_topic.topic_arn],
            )
        )

    template = synth(build)
    assert len(_policy(template, _own(template))) == 3
