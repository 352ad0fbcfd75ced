"""A service that counts the identifiers of the Python files it is told about."""

from __future__ import annotations

import os
from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs

from watchbot_cdk import Isolation, Scaling, Watchbot

app = App()
stack = Stack(app, "StdlibCensus")
Watchbot(
    stack,
    "census",
    image=ecs.ContainerImage.from_asset(str(Path(__file__).parent / "worker")),
    isolation=Isolation.PROCESS,
    command=["python", "census.py"],
    # Where results go: a folder here, an S3 bucket or a file system in earnest.
    environment={"RESULTS": os.environ.get("CENSUS_RESULTS", "/results")},
    # None while there is nothing to count; here, on one machine, it is one.
    watchers=Scaling(max=10),
    workers=4,
    max_receive_count=3,
)
app.synth()
