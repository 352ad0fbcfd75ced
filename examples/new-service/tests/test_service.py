from __future__ import annotations

from app import JobService
from aws_cdk import App
from aws_cdk.assertions import Template


def test_every_message_has_a_worker_and_what_fails_is_kept() -> None:
    template = Template.from_stack(JobService(App(), "Tested"))
    template.resource_count_is("AWS::ECS::Service", 1)
    template.has_resource_properties("AWS::SQS::Queue", {"RedrivePolicy": {"maxReceiveCount": 10}})
