"""The service that is played: its policies are read from what this app synthesises."""

from __future__ import annotations

from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs

from watchbot_cdk import Isolation, Scaling, Watchbot

app = App()
Watchbot(
    Stack(app, "Real"),
    "svc",
    image=ecs.ContainerImage.from_registry("public.ecr.aws/docker/library/busybox"),
    isolation=Isolation.PROCESS,
    command=["work"],
    workers=2,
    watchers=Scaling(max=8),
)
app.synth()
