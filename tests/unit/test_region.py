from __future__ import annotations

import pytest

from watchbot.region import region_of

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"
OF_ECS = {"AWS_REGION": "us-iso-east-1", "AWS_DEFAULT_REGION": "us-iso-east-1"}


@pytest.mark.parametrize(
    ("environment", "url", "region"),
    [
        ({}, QUEUE, "eu-west-1"),
        ({"AWS_REGION": "us-west-2"}, QUEUE, "eu-west-1"),
        ({"AWS_REGION": "us-west-2"}, "http://localhost/1/q", "us-west-2"),
        ({"AWS_DEFAULT_REGION": "us-west-2"}, "http://localhost/1/q", "us-west-2"),
        ({}, "http://localhost/1/q", None),
        ({}, "http://sqs.internal/1/q", None),
        ({}, "http://[::1", None),
    ],
)
def test_outside_ecs_the_region_is_the_queues(environment: dict[str, str], url: str, region: str | None) -> None:
    assert region_of(None, environment, url, in_ecs=False) == region


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1"),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("sqs.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("sqs.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
        ("sqs.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
        ("sqs.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
        ("sqs.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ("sqs.eu-west-1.api.aws", "eu-west-1"),
        ("sqs-fips.us-east-1.amazonaws.com", "us-east-1"),
        ("eu-west-1.queue.amazonaws.com", "eu-west-1"),
        ("cn-north-1.queue.amazonaws.com.cn", "cn-north-1"),
        ("queue.amazonaws.com", "us-east-1"),
        ("vpce-0a1b2c-x1y2.sqs.eu-west-1.vpce.amazonaws.com", "eu-west-1"),
        ("vpce-0a1b2c-x1y2-eu-west-1a.sqs.eu-west-1.vpce.amazonaws.com", "eu-west-1"),
        ("SQS.EU-WEST-1.AMAZONAWS.COM:443", "eu-west-1"),
    ],
)
def test_a_queues_url_names_its_region_in_every_partition(host: str, region: str) -> None:
    for in_ecs in (False, True):
        assert region_of(None, {}, f"https://{host}/123456789012/jobs", in_ecs=in_ecs) == region


def test_in_ecs_its_own_word_comes_before_a_host_name() -> None:
    assert region_of(None, OF_ECS, QUEUE, in_ecs=True) == "us-iso-east-1"


def test_the_constructs_word_comes_first() -> None:
    for in_ecs in (False, True):
        assert region_of("ca-west-1", OF_ECS, QUEUE, in_ecs=in_ecs) == "ca-west-1"
