"""The webhook: a REST API in front of the queue, with nothing between them."""

from __future__ import annotations

import dataclasses
import json

from aws_cdk import Names, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from watchbot_cdk.acknowledgements import acknowledge
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.encryption import USING, let_use
from watchbot_cdk.log_retention import retention_days
from watchbot_cdk.messages import Messages
from watchbot_cdk.webhook import Webhook
from watchbot_cdk.webhook_template import CONTENT_TYPES, NOT_TAKEN, REFUSED, TAKEN, TOO_LARGE, request_template

_ACCOUNT_ID = "WatchbotApiGatewayAccount"
_STAGE = "webhook"

_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "requestTime": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "status": "$context.status",
    "error": "$context.error.message",
    "integrationStatus": "$context.integration.status",
    "responseLatency": "$context.responseLatency",
}
"""Nothing that a caller writes: API Gateway documents no escaping of it, and quotes its own errors alone.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

_ANSWERS = (("2\\d{2}", "200", TAKEN), ("400", "400", REFUSED), ("413", "413", TOO_LARGE), (None, "503", NOT_TAKEN))
"""For each status of SQS's what the caller gets; the last is for every other one, and for no answer at all."""

_CHECKED = "callers have a key, or sign and the watcher checks it before any worker runs"
_ACKNOWLEDGED = {
    "AwsSolutions-APIG2": "any text is a body; what is not signed is found by the watcher",
    "AwsSolutions-APIG3": f"{_CHECKED}, and requests are throttled; waf names a web ACL",
    "AwsSolutions-APIG4": _CHECKED,
    "AwsSolutions-APIG6": "each request is in the access log; execution logs would hold bodies",
    "AwsSolutions-COG4": _CHECKED,
}
_PUSHING = (
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]"
)


@dataclasses.dataclass(frozen=True)
class WebhookApi:
    """Where callers POST to, and the key they need, if they need one."""

    url: str
    key: secretsmanager.Secret | None


def add_webhook(scope: Construct, webhook: Webhook, arguments: Arguments, messages: Messages) -> WebhookApi:
    """Create a regional REST API whose only method, POST at its root, sends the request to the queue.

    It has no model to validate requests by: any text is a body.
    """
    api = apigateway.RestApi(
        scope,
        "Webhook",
        rest_api_name=Names.unique_id(scope),
        endpoint_types=[apigateway.EndpointType.REGIONAL],
        cloud_watch_role=False,
        deploy_options=_stage(scope, webhook, arguments),
    )
    # One stack output for each Watchbot, and it is not this one.
    api.node.try_remove_child("Endpoint")
    api.root.add_method(
        "POST",
        _integration(_role(scope, arguments, messages), webhook, messages, fifo=arguments.fifo),
        api_key_required=webhook.api_key,
        method_responses=[apigateway.MethodResponse(status_code=status) for _, status, _ in _ANSWERS],
    )
    if webhook.access_logs and webhook.cloud_watch_role:
        api.deployment_stage.node.add_dependency(_account(Stack.of(scope)))
    if webhook.waf is not None:
        wafv2.CfnWebACLAssociation(
            scope, "WebhookFirewall", resource_arn=api.deployment_stage.stage_arn, web_acl_arn=webhook.waf
        )
    acknowledge(api, _ACKNOWLEDGED)
    return WebhookApi(api.url, _key(scope, api) if webhook.api_key else None)


def _stage(scope: Construct, webhook: Webhook, arguments: Arguments) -> apigateway.StageOptions:
    log_group = None
    if webhook.access_logs:
        log_group = logs.LogGroup(
            scope,
            "WebhookLogGroup",
            retention=retention_days(arguments.log_retention),
            encryption_key=arguments.encryption_key,
            removal_policy=RemovalPolicy.DESTROY,
        )
    return apigateway.StageOptions(
        stage_name=_STAGE,
        throttling_rate_limit=webhook.throttling_rate_limit,
        throttling_burst_limit=webhook.throttling_burst_limit,
        access_log_destination=None if log_group is None else apigateway.LogGroupLogDestination(log_group),
        access_log_format=None if log_group is None else apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
    )


def _role(scope: Construct, arguments: Arguments, messages: Messages) -> iam.Role:
    """Let API Gateway send to the queue, and use the service's key where it has one.

    The trust policy has no condition on the source. API Gateway documents none for the role of an integration, and
    names no account when it assumes one, so that every request would fail; the role can send to this queue alone.
    https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/pull/479
    """
    sending = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[messages.queue.queue_arn])
    role = iam.Role(
        scope,
        "WebhookRole",
        assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
        inline_policies={"Send": iam.PolicyDocument(statements=[sending])},
    )
    if arguments.encryption_key is not None:
        let_use(role, arguments.encryption_key, USING, ("sqs",), Stack.of(scope))
    return role


def _integration(role: iam.Role, webhook: Webhook, messages: Messages, *, fifo: bool) -> apigateway.AwsIntegration:
    """Put the request together; what has no template never goes on, or the caller would write SQS's parameters.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
    """
    template = request_template(webhook.attributes, fifo=fifo, verified=webhook.api_key)
    return apigateway.AwsIntegration(
        service="sqs",
        path=f"{Stack.of(role).account}/{messages.queue.queue_name}",
        integration_http_method="POST",
        options=apigateway.IntegrationOptions(
            credentials_role=role,
            passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
            request_parameters={"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
            request_templates=dict.fromkeys(CONTENT_TYPES, template),
            integration_responses=[
                apigateway.IntegrationResponse(
                    status_code=status, selection_pattern=pattern, response_templates={"application/json": answer}
                )
                for pattern, status, answer in _ANSWERS
            ],
        ),
    )


def _key(scope: Construct, api: apigateway.RestApi) -> secretsmanager.Secret:
    """Create the key, whose value Secrets Manager makes up: it is in no template, and whoever may can read it there."""
    secret = secretsmanager.Secret(
        scope,
        "WebhookKey",
        generate_secret_string=secretsmanager.SecretStringGenerator(password_length=40, exclude_punctuation=True),
    )
    key = api.add_api_key("Key", value=secret.secret_value.unsafe_unwrap())
    plan = api.add_usage_plan(
        "UsagePlan", api_stages=[apigateway.UsagePlanPerApiStage(api=api, stage=api.deployment_stage)]
    )
    plan.add_api_key(key)
    acknowledge(secret, {"AwsSolutions-SMG4": "callers have the key; whoever gives it to them changes it"})
    return secret


def _account(stack: Stack) -> Construct:
    """Find or create the role with which API Gateway writes logs in this account and region; it outlives the stack.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    found = stack.node.try_find_child(_ACCOUNT_ID)
    if found is not None:
        return found  # type: ignore[return-value] # every child is a Construct
    role = iam.Role(
        stack,
        "WatchbotApiGatewayRole",
        assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
        managed_policies=[
            iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
        ],
    )
    acknowledge(role, {_PUSHING: "all APIs of the account write their logs with it, and this is AWS's policy for that"})
    account = apigateway.CfnAccount(stack, _ACCOUNT_ID, cloud_watch_role_arn=role.role_arn)
    # Other APIs of the account may write their logs with it by now.
    role.apply_removal_policy(RemovalPolicy.RETAIN)
    account.apply_removal_policy(RemovalPolicy.RETAIN)
    return account
