"""How a watcher is told to reach AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Fn, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm

from tests.synth.template import Template, image, synth, synth_watchbot, watcher_settings
from watchbot.contract import WATCHER_CONTAINER, WORKER_CONTAINER, Isolation
from watchbot_cdk import AwsConnection, Watchbot, WatchbotArgumentError

ISOLATIONS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, WATCHER_CONTAINER),
    ({"isolation": Isolation.PROCESS, "command": ["work"]}, WORKER_CONTAINER),
)


@pytest.mark.parametrize(("isolation", "container"), ISOLATIONS)
def test_the_watcher_is_told_the_stacks_region(isolation: dict[str, Any], container: str) -> None:
    assert synth_watchbot(**isolation).environment(container)["WATCHBOT_REGION"] == {"Ref": "AWS::Region"}
    app = App()
    stack = Stack(app, "Known", env=Environment(account="123456789012", region="eusc-de-east-1"))
    Watchbot(stack, "svc", image=image(), **isolation)
    template = Template(app.synth().get_stack_by_name("Known").template)
    assert template.environment(container)["WATCHBOT_REGION"] == "eusc-de-east-1"


@pytest.mark.parametrize(("isolation", "container"), ISOLATIONS)
def test_every_option_reaches_the_watcher(isolation: dict[str, Any], container: str) -> None:
    connection = AwsConnection(
        dual_stack=True,
        fips=True,
        https_proxy="http://proxy.internal:3128",
        no_proxy=["s3.us-east-1.amazonaws.com", ".internal"],
        endpoint_urls={"sqs": "https://vpce-1.sqs.us-east-1.vpce.amazonaws.com", "ecs": "https://ecs.internal"},
    )
    settings = watcher_settings(synth_watchbot(**isolation, aws_connection=connection), container)
    assert (settings.dual_stack, settings.fips) == (True, True)
    assert settings.https_proxy == "http://proxy.internal:3128"
    assert settings.no_proxy == ("s3.us-east-1.amazonaws.com", ".internal")
    assert settings.endpoint_urls == tuple(connection.endpoint_urls.items())


@pytest.mark.parametrize(("isolation", "container"), ISOLATIONS)
def test_certificates_and_a_proxys_password_come_from_secrets(isolation: dict[str, Any], container: str) -> None:
    """ECS reads them with the execution role: the watcher's own role gets no right to the secret."""

    def build(stack: Stack) -> None:
        authority = secretsmanager.Secret.from_secret_name_v2(stack, "Authority", "authority")
        proxy = ssm.StringParameter.from_secure_string_parameter_attributes(stack, "Proxy", parameter_name="/proxy")
        connection = AwsConnection(
            ca_certificate=ecs.Secret.from_secrets_manager(authority),
            https_proxy=ecs.Secret.from_ssm_parameter(proxy),
        )
        mine = {"MINE": ecs.Secret.from_secrets_manager(authority, "mine")}
        Watchbot(stack, "svc", image=image(), secrets=mine, aws_connection=connection, **isolation)

    template = synth(build)
    names = {secret["Name"] for secret in template.container(container)["Secrets"]}
    assert {"WATCHBOT_CA_CERTIFICATE", "WATCHBOT_HTTPS_PROXY"} <= names
    assert "WATCHBOT_HTTPS_PROXY" not in template.environment(container)
    if container == WATCHER_CONTAINER:
        worker = template.container(WORKER_CONTAINER)
        assert {secret["Name"] for secret in worker["Secrets"]} == {"MINE"}
    may_read = [
        name
        for name, policy in template.of_type("AWS::IAM::Policy").items()
        if "secretsmanager:GetSecretValue" in json.dumps(policy)
    ]
    assert may_read
    assert all("ExecutionRole" in name for name in may_read)


def test_values_known_only_at_deployment_are_taken() -> None:
    def build(stack: Stack) -> None:
        proxy = CfnParameter(stack, "ProxyUrl").value_as_string
        connection = AwsConnection(
            https_proxy=proxy,
            no_proxy=[CfnParameter(stack, "Direct").value_as_string],
            endpoint_urls={"sqs": Fn.join("", ["https://", CfnParameter(stack, "Endpoint").value_as_string])},
            fips=True,
        )
        Watchbot(stack, "svc", image=image(), aws_connection=connection)

    environment = synth(build).environment(WATCHER_CONTAINER)
    assert environment["WATCHBOT_HTTPS_PROXY"] == {"Ref": "ProxyUrl"}
    assert environment["WATCHBOT_NO_PROXY"] == {"Ref": "Direct"}
    assert environment["WATCHBOT_ENDPOINT_URLS"] == {"Fn::Join": ["", ["sqs=https://", {"Ref": "Endpoint"}]]}


@pytest.mark.parametrize(
    ("connection", "problem"),
    [
        (
            AwsConnection(https_proxy="http://user:hush@proxy:3128"),
            "https_proxy must be an ecs.Secret if it has",
        ),
        (AwsConnection(https_proxy="proxy.internal:3128"), "https_proxy must be a URL such as http://proxy.internal"),
        (AwsConnection(https_proxy=3128), "https_proxy must be a URL, an ecs.Secret or None, got a int"),  # type: ignore[arg-type] # refused
        (AwsConnection(no_proxy=[".internal"]), "no_proxy needs an https_proxy"),
        (AwsConnection(https_proxy="http://p", no_proxy="internal"), "no_proxy must be a list of hosts"),
        (AwsConnection(https_proxy="http://p", no_proxy=["a,b"]), "no_proxy must be hosts or domains"),
        (AwsConnection(ca_certificate="PEM"), "ca_certificate must be an ecs.Secret"),  # type: ignore[arg-type] # refused
        (AwsConnection(endpoint_urls={"dynamodb": "https://d"}), "endpoint_urls must be of ecs, logs, s3"),
        (AwsConnection(endpoint_urls={"sqs": "vpce-1.sqs"}), "endpoint_urls sqs must be a URL"),
        (AwsConnection(fips=1), "fips must be a bool"),  # type: ignore[arg-type] # refused
        ("dual_stack", "aws_connection must be a AwsConnection"),
    ],
)
def test_refuses_what_cannot_be_and_shows_no_password(connection: Any, problem: str) -> None:
    with pytest.raises(WatchbotArgumentError, match=problem) as caught:
        synth_watchbot(aws_connection=connection)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1", "eusc-de-east-1"])
def test_refuses_fips_in_a_region_that_has_none(region: str) -> None:
    stack = Stack(App(), "Known", env=Environment(account="123456789012", region=region))
    with pytest.raises(WatchbotArgumentError, match=f"fips needs a Region with FIPS endpoints.*got {region}"):
        Watchbot(stack, "svc", image=image(), aws_connection=AwsConnection(fips=True))


@pytest.mark.parametrize("region", ["us-east-1", "ca-west-1", "us-gov-west-1", "us-iso-east-1"])
def test_fips_is_taken_where_there_are_such_endpoints(region: str) -> None:
    stack = Stack(App(), "Known", env=Environment(account="123456789012", region=region))
    Watchbot(stack, "svc", image=image(), aws_connection=AwsConnection(fips=True))
