"""Who may do what once a template is deployed, as IAM decides it.

The evaluator is ministack's (``ministack.core.iam_evaluator``), which follows IAM's evaluation logic and is not ours:
explicit denies, wildcards, operators of conditions, tags, and trust policies. AWS's own needs an account. What it is
asked, and the ARNs and context that AWS would fill in, come from here.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate, evaluate_trust_policy, parse_policy_document

from tests.synth.template import Template

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
}
_ARNS = {
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::IAM::User": "iam::{account}:user/{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::ECS::Cluster": "ecs:{region}:{account}:cluster/{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
}
_REFERRED_BY_ARN = ("AWS::SNS::Topic", "AWS::SecretsManager::Secret")


@dataclasses.dataclass(frozen=True)
class Statement:
    """One action that a policy allows on one resource, and what it asks of the context."""

    action: str
    resource: str
    conditions: Mapping[str, Mapping[str, Any]]


class Deployed:
    """A template with every reference filled in, each resource named by its logical id."""

    def __init__(self, template: Template) -> None:
        self._template = template

    @functools.cached_property
    def principals(self) -> Mapping[str, Any]:
        """The roles and users, by logical id."""
        return {**self._template.of_type("AWS::IAM::Role"), **self._template.of_type("AWS::IAM::User")}

    def named(self, part: str) -> str:
        """Give the logical id of the only role or user with this in it."""
        (found,) = (name for name in self.principals if part in name)
        return found

    def arn(self, kind: str, part: str = "") -> str:
        """Give the ARN of the only resource of a type with this in its logical id."""
        (name,) = (name for name in self._template.of_type(kind) if part in name)
        return self._arn(name, kind)

    def statements(self, principal: str) -> Iterator[Statement]:
        """Give everything that a role's or user's policies allow."""
        for document in self._documents(principal):
            for statement in document["Statement"]:
                assert statement["Effect"] == "Allow"
                for action in _listed(statement["Action"]):
                    for resource in _listed(statement["Resource"]):
                        yield Statement(action, resource, statement.get("Condition", {}))

    def may(self, principal: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
        """Whether IAM would let it do this, with what AWS says of the request and the resource in ``context``."""
        asked = EvalContext(
            principal_arn=f"arn:aws:iam::{ACCOUNT}:role/{principal}",
            principal_type="AssumedRole",
            principal_account=ACCOUNT,
            action=action,
            resource_arn=resource,
            region=REGION,
            service_context={name.lower(): value for name, value in (context or {}).items()},
        )
        policies = [parse_policy_document(document) for document in self._documents(principal)]
        decision: str = evaluate(asked, policies).decision
        return decision == "Allow"

    def may_be_assumed(self, role: str, context: Mapping[str, str]) -> bool:
        """Whether the service that a role trusts may assume it, acting for what ``context`` says."""
        # Its calls for a service come from the root of the account.
        root = f"arn:aws:iam::{ACCOUNT}:root"
        asked = EvalContext(
            principal_arn=root,
            principal_type="Service",
            principal_account=ACCOUNT,
            action="sts:AssumeRole",
            resource_arn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            region=REGION,
            service_context={name.lower(): value for name, value in context.items()},
        )
        trust = self._filled(self.principals[role]["AssumeRolePolicyDocument"])
        return bool(evaluate_trust_policy(trust, root, asked))

    def _documents(self, principal: str) -> list[Any]:
        found = [policy["PolicyDocument"] for policy in self.principals[principal].get("Policies", [])]
        found += [
            policy["PolicyDocument"]
            for policy in self._template.of_type("AWS::IAM::Policy").values()
            if {"Ref": principal} in [*policy.get("Roles", []), *policy.get("Users", [])]
        ]
        return [self._filled(document) for document in found]

    def _filled(self, value: Any) -> Any:
        match value:
            case {"Ref": str(name)}:
                return self._referred(name)
            case {"Fn::GetAtt": [str(name), "Arn"]}:
                return self._arn(name, self._template.resources[name]["Type"])
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return f"{name}.{attribute}"
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self._filled(part) for part in parts)
            case {"Fn::Select": [index, {"Fn::Split": [separator, text]}]}:
                return self._filled(text).split(separator)[int(index)]
            case {"Fn::Sub": str(text)}:
                for name, filled in _PSEUDO.items():
                    text = text.replace(f"${{{name}}}", filled)
                return text
            case dict():
                assert not any(name.startswith("Fn::") for name in value), value
                return {name: self._filled(one) for name, one in value.items()}
            case list():
                return [self._filled(one) for one in value]
        return value

    def _referred(self, name: str) -> str:
        if name in _PSEUDO:
            return _PSEUDO[name]
        kind = self._template.resources[name]["Type"]
        return self._arn(name, kind) if kind in _REFERRED_BY_ARN else name

    def _arn(self, name: str, kind: str) -> str:
        pattern = _ARNS.get(kind, kind.split("::")[1].lower() + ":{region}:{account}:{name}")
        return "arn:aws:" + pattern.format(region=REGION, account=ACCOUNT, name=name)


def foreign(resource: str) -> str:
    """Give the ARN of a resource of this kind that is somebody else's, in the same account and region."""
    begin, separator, name = resource.rpartition("/") if "/" in resource else resource.rpartition(":")
    match resource.split(":")[2]:
        case "s3":
            return "arn:aws:s3:::somebody-elses" + ("/k" if "/" in resource else "")
        case "ecs" if ":task/" in resource:
            return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/somebody-elses/0"
        case "logs":
            return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:somebody-elses:log-stream:watchbot/worker/0"
    return f"{begin}{separator}somebody-elses" if name else json.dumps(resource)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
