"""The CDK app: a topic to send jobs to, a queue, and workers that run worker/work.py for every message."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from watchbot_cdk import Isolation, Scaling, Watchbot


class JobService(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.jobs = Watchbot(
            self,
            "jobs",
            image=ecs.ContainerImage.from_asset(str(Path(__file__).parent / "worker")),
            # A process for each message, in a warm container. Isolation.TASK starts a container for each instead.
            isolation=Isolation.PROCESS,
            command=["python3", "work.py"],
            # So many at once in a container, and as many containers as there is work for: none when there is none.
            workers=4,
            watchers=Scaling(max=10),
        )


if __name__ == "__main__":
    app = App()
    JobService(app, "NewService")
    app.synth()
