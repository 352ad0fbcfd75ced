"""The webhook: who may call it, what goes through it, who can read the secret, and what is refused at synthesis."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from tests.synth.template import Template, image, placeholders, synth, synth_watchbot, watcher_settings
from watchbot.contract import HmacAlgorithm, HmacEncoding, HmacScheme, OnInvalid, Settings
from watchbot_cdk import Hmac, Isolation, Watchbot, WatchbotArgumentError, Webhook
from watchbot_cdk.webhook_template import CONTENT_TYPES, request_template

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["work"]}


def _synth(hmac: Callable[[secretsmanager.ISecret], Hmac] = Hmac.github, **arguments: Any) -> Template:
    def build(stack: Stack) -> None:
        webhook = Webhook(hmac=hmac(secretsmanager.Secret(stack, "Shared")))
        Watchbot(stack, "svc", **{"image": image(), "webhook": webhook, **arguments})

    return synth(build)


@pytest.fixture(scope="module")
def signed() -> Template:
    return _synth()


@pytest.fixture(scope="module")
def keyed() -> Template:
    """A FIFO service whose callers have a key, with everything else said."""
    webhook = Webhook(
        api_key=True,
        headers=["X-Trace"],
        throttling_rate_limit=5,
        throttling_burst_limit=20,
        waf="arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/b",
        access_logs=False,
    )
    return synth_watchbot(fifo=True, webhook=webhook, **PROCESS)


def _method(template: Template) -> Any:
    return template.one("AWS::ApiGateway::Method")


def test_a_request_goes_straight_into_the_queue_and_only_through_a_template(signed: Template, keyed: Template) -> None:
    for template, attributes, fifo in (
        (signed, ("x-hub-signature-256", "x-github-event", "x-github-delivery"), False),
        (keyed, ("x-trace",), True),
    ):
        integration = _method(template)["Integration"]
        assert integration["Type"] == "AWS"
        assert integration["PassthroughBehavior"] == "NEVER"
        expected = request_template(attributes, fifo=fifo, verified=template is keyed)
        assert integration["RequestTemplates"] == dict.fromkeys(CONTENT_TYPES, expected)
        (queue,) = [name for name in template.of_type("AWS::SQS::Queue") if name.startswith("svcQueue")]
        assert placeholders(integration["Uri"]) == (
            "arn:<{'Ref': 'AWS::Partition'}>:apigateway:<{'Ref': 'AWS::Region'}>:sqs:path/"
            f"<{{'Ref': 'AWS::AccountId'}}>/<{queue}.QueueName>"
        )
        assert not template.of_type("AWS::Lambda::Function")


def test_the_role_may_send_to_that_queue_and_nothing_else(signed: Template) -> None:
    role = signed.one("AWS::IAM::Role", "svcWebhookRole")
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sqs:SendMessage"
    assert placeholders(statement["Resource"]).startswith("<svcQueue")
    assert len(signed.statements("svcWebhookRole")) == 1
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "apigateway.amazonaws.com"}


def test_under_a_key_of_the_users_own_api_gateway_and_the_publisher_user_may_use_it() -> None:
    def build(stack: Stack) -> None:
        webhook = Webhook(api_key=True)
        key = kms.Key(stack, "Key")
        Watchbot(stack, "svc", image=image(), encryption_key=key, webhook=webhook, publisher_user=True)

    template = synth(build)
    (key,) = template.of_type("AWS::KMS::Key")
    _, statement = template.statements("svcWebhookRole")
    assert (statement["Action"], placeholders(statement["Resource"])) == (
        ["kms:Decrypt", "kms:GenerateDataKey"],
        f"<{key}.Arn>",
    )
    (policy,) = [one for one in template.of_type("AWS::IAM::Policy").values() if "Users" in one]
    allowed = {placeholders(one["Resource"]): one["Action"] for one in policy["PolicyDocument"]["Statement"]}
    assert set(allowed[f"<{key}.Arn>"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert template.one("AWS::Logs::LogGroup", "svcWebhookLogGroup")["KmsKeyId"] == {"Fn::GetAtt": [key, "Arn"]}


def test_every_answer_of_sqs_has_one_for_the_caller(signed: Template) -> None:
    answers = {
        one.get("SelectionPattern"): one["StatusCode"] for one in _method(signed)["Integration"]["IntegrationResponses"]
    }
    assert answers == {"2\\d{2}": "200", "400": "400", "413": "413", None: "503"}
    assert {one["StatusCode"] for one in _method(signed)["MethodResponses"]} == set(answers.values())


def test_what_changes_the_method_is_deployed() -> None:
    def deployment(header: str) -> str:
        template = _synth(lambda secret: Hmac(secret=secret, header=header))
        (name,) = template.of_type("AWS::ApiGateway::Deployment")
        return name

    assert deployment("X-A") == deployment("X-A") != deployment("X-B")


def test_signers_need_no_key_and_callers_with_a_key_do_not_sign(signed: Template, keyed: Template) -> None:
    assert _method(signed)["ApiKeyRequired"] is False
    assert not signed.of_type("AWS::ApiGateway::ApiKey")
    assert _method(keyed)["ApiKeyRequired"] is True
    assert not any(name.startswith("WATCHBOT_HMAC") for name in keyed.environment("worker"))


def test_the_key_is_made_up_by_secrets_manager_and_is_in_no_template(keyed: Template) -> None:
    (secret,) = keyed.of_type("AWS::SecretsManager::Secret")
    made = keyed.one("AWS::SecretsManager::Secret")["GenerateSecretString"]
    assert made == {"PasswordLength": 40, "ExcludePunctuation": True}
    value = placeholders(keyed.one("AWS::ApiGateway::ApiKey")["Value"])
    assert value == f"{{{{resolve:secretsmanager:<{{'Ref': '{secret}'}}>:SecretString:::}}}}"
    (plan,) = keyed.of_type("AWS::ApiGateway::UsagePlan")
    (key,) = keyed.of_type("AWS::ApiGateway::ApiKey")
    bound = keyed.one("AWS::ApiGateway::UsagePlanKey")
    assert (bound["KeyId"], bound["UsagePlanId"]) == ({"Ref": key}, {"Ref": plan})
    (stage,) = keyed.of_type("AWS::ApiGateway::Stage")
    assert keyed.one("AWS::ApiGateway::UsagePlan")["ApiStages"][0]["Stage"] == {"Ref": stage}


def _throttle(template: Template) -> tuple[float, float]:
    (settings,) = template.one("AWS::ApiGateway::Stage")["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    return settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]


def test_requests_are_throttled(signed: Template, keyed: Template) -> None:
    assert (_throttle(signed), _throttle(keyed)) == ((50, 200), (5, 20))


def test_a_web_acl_looks_first(signed: Template, keyed: Template) -> None:
    assert not signed.of_type("AWS::WAFv2::WebACLAssociation")
    association = keyed.one("AWS::WAFv2::WebACLAssociation")
    assert association["WebACLArn"].endswith("webacl/a/b")
    assert placeholders(association["ResourceArn"]).endswith("}>")


def test_requests_are_logged_and_never_bodies_or_headers(signed: Template, keyed: Template) -> None:
    stage = signed.one("AWS::ApiGateway::Stage")
    assert signed.one("AWS::Logs::LogGroup", "svcWebhookLogGroup")["RetentionInDays"] == 14
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"$context.requestId", "$context.identity.sourceIp", "$context.status"} <= set(line.values())
    # Values that a caller writes could hold a quote, and with it fields of their own.
    assert not [value for value in line.values() if re.search(r"userAgent|path|header|query|body|domain", value, re.I)]
    assert stage["MethodSettings"][0]["DataTraceEnabled"] is False
    assert "AccessLogSetting" not in keyed.one("AWS::ApiGateway::Stage")
    assert not keyed.of_type("AWS::ApiGateway::Account")


def test_two_webhooks_share_the_accounts_log_role_which_outlives_them() -> None:
    def build(stack: Stack) -> None:
        for name in ("a", "b"):
            Watchbot(stack, name, image=image(), webhook=Webhook(api_key=True))

    template = synth(build)
    (account,) = template.of_type("AWS::ApiGateway::Account")
    assert template.resources[account]["DeletionPolicy"] == "Retain"
    stages = [one for one in template.resources.values() if one["Type"] == "AWS::ApiGateway::Stage"]
    assert [account in stage["DependsOn"] for stage in stages] == [True, True]


def test_an_account_that_has_its_log_role_is_left_alone() -> None:
    template = synth_watchbot(webhook=Webhook(api_key=True, cloud_watch_role=False))
    assert not template.of_type("AWS::ApiGateway::Account")
    assert "AccessLogSetting" in template.one("AWS::ApiGateway::Stage")


def test_the_stack_has_no_other_output(signed: Template, keyed: Template) -> None:
    assert [len(template.outputs) for template in (signed, keyed)] == [1, 1]


def test_a_service_without_a_webhook_has_nothing_of_it() -> None:
    app = App()
    stack = Stack(app, "Demo")
    watchbot = Watchbot(stack, "svc", image=image())
    assert (watchbot.webhook_url, watchbot.webhook_key, watchbot.publisher_access_key) == (None, None, None)
    kinds = {resource["Type"] for resource in app.synth().get_stack_by_name("Demo").template["Resources"].values()}
    assert not {kind for kind in kinds if "ApiGateway" in kind or "Secret" in kind or kind == "AWS::IAM::User"}


def test_others_can_be_given_the_address_and_the_key() -> None:
    stack = Stack(App(), "Demo")
    watchbot = Watchbot(stack, "svc", image=image(), webhook=Webhook(api_key=True), publisher_user=True)
    assert re.fullmatch(
        r"https://<.*>\.execute-api\.<.*AWS::Region.*>\.<.*AWS::URLSuffix.*>/<.*>/",
        placeholders(stack.resolve(watchbot.webhook_url)),
    )
    assert watchbot.webhook_key is not None
    assert watchbot.publisher_access_key is not None
    assert watchbot.webhook_key.secret_arn != watchbot.publisher_access_key.secret_arn


# The watcher's side.


def _secret_rights(template: Template, role: str) -> list[tuple[str, str]]:
    return [
        (statement["Action"], placeholders(statement["Resource"]))
        for statement in template.statements(role)
        if str(statement["Action"]).startswith(("secretsmanager:", "kms:"))
    ]


def _shared(template: Template) -> str:
    (secret,) = template.of_type("AWS::SecretsManager::Secret")
    return f"<{{'Ref': '{secret}'}}>"


def test_the_watcher_alone_may_read_exactly_that_secret(signed: Template) -> None:
    assert _secret_rights(signed, "WatcherTask") == [("secretsmanager:GetSecretValue", _shared(signed))]
    assert _secret_rights(signed, "svcWorkerTask") == []
    assert "Secrets" not in signed.container("watcher")


def test_with_processes_the_one_role_may() -> None:
    template = _synth(**PROCESS)
    assert _secret_rights(template, "svcTaskTaskRole") == [("secretsmanager:GetSecretValue", _shared(template))]
    assert "Secrets" not in template.container("worker")


def test_a_secret_with_a_key_can_be_decrypted_and_one_known_by_name_be_read() -> None:
    def build(stack: Stack) -> None:
        key = kms.Key(stack, "Key")
        named = secretsmanager.Secret.from_secret_attributes(
            stack, "S", secret_partial_arn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:s", encryption_key=key
        )
        Watchbot(stack, "svc", image=image(), webhook=Webhook(hmac=Hmac.stripe(named)))

    template = synth(build)
    (key,) = template.of_type("AWS::KMS::Key")
    assert sorted(_secret_rights(template, "WatcherTask")) == [
        ("kms:Decrypt", f"<{key}.Arn>"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-??????"),
    ]


def _hmac_settings(settings: Settings) -> tuple[Any, ...]:
    return (
        settings.hmac_header,
        settings.hmac_scheme,
        settings.hmac_algorithm,
        settings.hmac_encoding,
        settings.hmac_prefix,
        settings.hmac_field,
        settings.hmac_on_invalid,
    )


def test_the_watcher_is_told_how_github_signs(signed: Template) -> None:
    settings = watcher_settings(signed)
    assert settings.hmac_secret == _shared(signed)
    plain = (HmacScheme.BODY, HmacAlgorithm.SHA256, HmacEncoding.HEX)
    assert _hmac_settings(settings) == ("x-hub-signature-256", *plain, "sha256=", None, OnInvalid.DROP)


def test_the_watcher_is_told_how_stripe_signs() -> None:
    template = _synth(
        lambda secret: Hmac.stripe(secret, tolerance=Duration.minutes(1), field="stripe", on_invalid="dead_letter")
    )
    settings = watcher_settings(template)
    stripe = (HmacScheme.STRIPE, HmacAlgorithm.SHA256, HmacEncoding.HEX)
    assert _hmac_settings(settings) == ("stripe-signature", *stripe, "", "stripe", OnInvalid.DEAD_LETTER)
    assert settings.hmac_tolerance_seconds == 60
    assert watcher_settings(_synth(Hmac.stripe)).hmac_tolerance_seconds == 300


def test_the_watcher_is_told_how_anyone_else_signs() -> None:
    template = _synth(
        lambda secret: Hmac(secret=secret, header="X-Sig", algorithm="sha512", encoding="base64", prefix="v1,")
    )
    expected = ("x-sig", HmacScheme.BODY, HmacAlgorithm.SHA512, HmacEncoding.BASE64, "v1,", None, OnInvalid.DROP)
    assert _hmac_settings(watcher_settings(template)) == expected


# What cannot be.


def _problems(webhook: Any, **arguments: Any) -> tuple[str, ...]:
    with pytest.raises(WatchbotArgumentError) as caught:
        Watchbot(Stack(App(), "Demo"), "svc", image=image(), webhook=webhook, **arguments)
    return caught.value.problems


class _Secret:
    secret_arn = "arn"  # all that is looked at before anything is created
    encryption_key = None


def _hmac(**arguments: Any) -> Hmac:
    return Hmac(**{"secret": _Secret(), "header": "X-Sig", **arguments})


@pytest.mark.parametrize(
    ("webhook", "problem"),
    [
        (Webhook(), "webhook must have an api_key or hmac, got neither: anybody could start workers"),
        (Webhook(api_key=True, hmac=_hmac()), "webhook must have an api_key or hmac, got both"),
        ("https://x", "webhook must be a Webhook or None, got 'https://x'"),
        (Webhook(hmac="secret"), "webhook hmac must be a Hmac or None, got 'secret'"),  # type: ignore[arg-type]
        (Webhook(hmac=_hmac(secret="hunter2")), "webhook hmac secret must be a Secret, got str"),
        (Webhook(api_key="k"), "webhook api_key must be a bool, got 'k'"),  # type: ignore[arg-type]
        (Webhook(api_key=True, headers="X-A"), "webhook headers must be a list of names, got 'X-A'"),
        (Webhook(api_key=True, headers=["a b"]), "webhook headers must be letters, digits, - and _, got 'a b'"),
        (Webhook(api_key=True, headers=['a")#end']), "webhook headers must be letters, digits, - and _"),
        (Webhook(api_key=True, headers=["watchbot.WebhookTime"]), "webhook headers must be letters, digits, - and _"),
        (
            Webhook(api_key=True, headers=list("abcdefgh")),
            "webhook headers must be at most 7 with those of hmac, got 8",
        ),
        (Webhook(hmac=_hmac(headers=["a", "b"]), headers=list("cdefg")), "webhook headers must be at most 7"),
        (Webhook(hmac=_hmac(header="")), "webhook hmac header must be letters, digits, - and _, got ''"),
        (Webhook(hmac=_hmac(headers=["\u00e9"])), "webhook hmac headers must be letters, digits, - and _"),
        (Webhook(hmac=_hmac(algorithm="md5")), "webhook hmac algorithm must be one of sha256, sha512, got 'md5'"),
        (Webhook(hmac=_hmac(encoding="raw")), "webhook hmac encoding must be one of hex, base64, got 'raw'"),
        (Webhook(hmac=_hmac(on_invalid="run")), "webhook hmac on_invalid must be one of drop, dead_letter, got 'run'"),
        (Webhook(hmac=_hmac(field="")), "webhook hmac field must be the name of a field or None, got ''"),
        (Webhook(hmac=_hmac(tolerance=Duration.days(2))), "webhook hmac tolerance must be 1 to 86400 seconds"),
        (Webhook(hmac=_hmac(tolerance=300)), "webhook hmac tolerance must be a Duration or None, got 300"),
        (Webhook(hmac=_hmac(tolerance=Duration.hours(1), prefix="v1=")), "webhook hmac tolerance is for signatures"),
        (Webhook(api_key=True, throttling_rate_limit=-1), "webhook throttling_rate_limit must be a number from 0"),
        (Webhook(api_key=True, throttling_burst_limit=0.5), "webhook throttling_burst_limit must be a whole number"),
        (Webhook(api_key=True, waf="acl"), "webhook waf must be the ARN of a web ACL, got 'acl'"),
    ],
)
def test_refuses_a_webhook_that_cannot_be(webhook: Any, problem: str) -> None:
    (found,) = _problems(webhook)
    assert found.startswith(problem)


def test_a_header_that_is_asked_for_twice_is_one() -> None:
    webhook = Webhook(hmac=_hmac(headers=["X-A"]), headers=["x-a", "X-SIG", "X-B"])
    assert webhook.attributes == ("x-sig", "x-a", "x-b")


# The publisher user.


def test_the_publisher_user_may_publish_to_the_topic_and_nothing_else() -> None:
    template = synth_watchbot(publisher_user=True, fifo=True)
    (user,) = template.of_type("AWS::IAM::User")
    policies = [one for one in template.of_type("AWS::IAM::Policy").values() if "Users" in one]
    (statement,) = policies[0]["PolicyDocument"]["Statement"]
    assert policies[0]["Users"] == [{"Ref": user}]
    (topic,) = [name for name in template.of_type("AWS::SNS::Topic") if name.startswith("svcTopic")]
    assert (statement["Action"], statement["Resource"]) == ("sns:Publish", {"Ref": topic})


def test_its_key_goes_from_iam_to_secrets_manager_and_nowhere_else() -> None:
    template = synth_watchbot(publisher_user=True)
    (key,) = template.of_type("AWS::IAM::AccessKey")
    secret = template.one("AWS::SecretsManager::Secret")["SecretString"]
    assert json.loads(placeholders(secret).replace("'", "")) == {
        "AccessKeyId": f"<{{Ref: {key}}}>",
        "SecretAccessKey": f"<{key}.SecretAccessKey>",
    }
    assert json.dumps(template.resources).count("SecretAccessKey") == 2
    assert "AccessKey" not in json.dumps(template.outputs)


def test_refuses_a_publisher_user_that_is_no_yes_or_no() -> None:
    assert _problems(None, publisher_user="bob") == ("publisher_user must be a bool, got 'bob'",)
