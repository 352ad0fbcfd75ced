"""What is simulated is what is synthesised."""

from __future__ import annotations

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecs_patterns as patterns

from tests.synth.template import Template, image
from watchbot_cli.described import find_described
from watchbot_cli.simulation.peers import queue_processing_service
from watchbot_cli.simulation.service_template import find_setting
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import burst


def test_every_service_can_be_simulated(reviewed: tuple[App, dict[str, Template]]) -> None:
    _, templates = reviewed
    for stack, template in templates.items():
        for one in find_described({stack: template.whole}):
            setting = find_setting({stack: template.whole}, one.name)
            assert setting.isolation is one.description.isolation
            assert simulate(setting, burst(3, lambda: 60), Conditions()).finished == 3, one.name
            assert setting.alarm_metrics > 0


@pytest.fixture(scope="module")
def queue_processing() -> Setting:
    """Give CDK's own pattern as its template says it, with a maximum of 100."""
    app = App()
    stack = Stack(app, "Peer")
    patterns.QueueProcessingFargateService(stack, "svc", image=image(), max_scaling_capacity=100)
    return find_setting({"Peer": app.synth().get_stack_by_name("Peer").template}, None)


def test_the_peer_of_cdk_is_cdks_own_pattern(queue_processing: Setting) -> None:
    peer = queue_processing_service(Setting(name="svc", minimum=0, maximum=100))
    workload = burst(1000, lambda: 60)
    synthesised, written = (simulate(one, workload, Conditions()) for one in (queue_processing, peer))
    assert (synthesised.waits, synthesised.service, synthesised.timeline) == (
        written.waits,
        written.service,
        written.timeline,
    )
    assert queue_processing.notes[0].endswith("which tracks ECSServiceAverageCPUUtilization, is not simulated")
