"""Three services that do the same job of many parts, each in another language."""

from __future__ import annotations

import os
from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs

from watchbot_cdk import Isolation, Watchbot

COMMANDS = {
    "python": ["python", "words.py"],
    "bash": ["bash", "words.sh"],
    "node": ["node", "words.mjs"],
}

app = App()
stack = Stack(app, "MapReduce")
for language, command in COMMANDS.items():
    Watchbot(
        stack,
        f"words-in-{language}",
        image=ecs.ContainerImage.from_asset(str(Path(__file__).parent / language)),
        isolation=Isolation.PROCESS,
        command=command,
        # Where parts and results go: a folder here. Deployed it would die with its task: take a bucket, or EFS.
        environment={"RESULTS": f"{os.environ.get('WORDS_RESULTS', '/results')}/{language}"},
        reduce=True,
        workers=4,
    )
app.synth()
