"""What a service may be given of its stack, and values of arguments that can be read before they are made there."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from aws_cdk import CfnParameter, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_efs as efs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from tests.synth.template import cluster_with_instances


class World:
    """What services of a stack may be given; each part is made when it is first asked for."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.parameters = 0

    def number(self, value: float) -> float:
        """Give a number that is known only at deployment."""
        self.parameters += 1
        parameter = CfnParameter(self.stack, f"Number{self.parameters}", type="Number", default=value)
        return parameter.value_as_number

    @functools.cached_property
    def vpc(self) -> ec2.IVpc:
        """A network with both kinds of subnets."""
        return ec2.Vpc.from_vpc_attributes(
            self.stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["a", "b"],
            private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            public_subnet_ids=["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
        )

    @functools.cached_property
    def cluster(self) -> ecs.ICluster:
        """A cluster with instances."""
        return cluster_with_instances(self.stack, self.vpc)

    @functools.cached_property
    def group(self) -> ec2.ISecurityGroup:
        """A security group."""
        return ec2.SecurityGroup.from_security_group_id(self.stack, "Group", "sg-0123456789abcdef0")

    @functools.cached_property
    def files(self) -> efs.IFileSystem:
        """A file system."""
        return efs.FileSystem(self.stack, "Files", vpc=self.vpc)

    @functools.cached_property
    def key(self) -> kms.IKey:
        """A key of this stack."""
        return kms.Key(self.stack, "Key", enable_key_rotation=True)

    @functools.cached_property
    def bucket(self) -> s3.IBucket:
        """A bucket of another stack."""
        return s3.Bucket.from_bucket_name(self.stack, "Bucket", "payloads")

    @functools.cached_property
    def topic(self) -> sns.ITopic:
        """A topic of this stack."""
        return sns.Topic(self.stack, "Alerts")

    @functools.cached_property
    def secret(self) -> secretsmanager.ISecret:
        """A secret of another stack."""
        return secretsmanager.Secret.from_secret_name_v2(self.stack, "Secret", "token")

    @functools.cached_property
    def repository(self) -> ecr.IRepository:
        """A repository of another stack."""
        return ecr.Repository.from_repository_name(self.stack, "Repository", "worker")

    @functools.cached_property
    def collector(self) -> lambda_.IFunction:
        """A function that takes log lines."""
        arn = "arn:aws:lambda:eu-west-1:123456789012:function:logs"
        return lambda_.Function.from_function_attributes(self.stack, "Logs", function_arn=arn, same_environment=True)


@dataclasses.dataclass(frozen=True)
class Value:
    """A value of one argument: as it is read, as it is made in a stack, and, of a number, what it comes to there."""

    text: str
    make: Callable[[World], Any]
    number: float | None = None

    def __repr__(self) -> str:
        return self.text


def plain(value: Any) -> Value:
    """Give a value that needs no stack."""
    return Value(repr(value), lambda world: value, value if isinstance(value, int | float) else None)


def of(text: str, make: Callable[[World], Any]) -> Value:
    """Give a value that is made in a stack."""
    return Value(text, make)
