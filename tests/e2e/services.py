"""The services under test: one app, synthesised once, with a Watchbot for each kind of worker image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ecs as ecs

from tests.e2e.ecs_host import EcsHost
from tests.e2e.ecs_task import EcsTask
from watchbot.contract import WORKER_CONTAINER
from watchbot_cdk import Backoff, Isolation, Watchbot
from watchbot_cli.local.data_plane import DataPlane
from watchbot_cli.local.emulator import REGION, Emulator

BASE_IMAGE = "watchbot-e2e-base"
STACK = "E2e"
_HERE = Path(__file__).parent

WORKER = r"""
echo "environment $(/bin/busybox base64 -w 0 /proc/$$/environ)"
printf %s "$Message" >"$TMPDIR/message" && /bin/busybox cmp "$TMPDIR/message" "$MessageFile" && echo "message agrees"
watchbot-log "said with watchbot-log"
watchbot-progress --help | watchbot-log
case "$Message" in
  wait*) /bin/busybox sleep 300 ;;
  brief*) /bin/busybox sleep 2 ;;
  exit*) exit "${Message#exit}" ;;
esac
"""
"""Needs nothing of an image but a busybox, in which it runs."""

IMAGES = ("debian", "busybox", "nonroot", "preload", "librarypath", "pythonhome", "sigquit", "account")


class Service:
    """One Watchbot's queue in the embedded AWS, and its task definition, ready to be started."""

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self._name = name
        self.definition: Mapping[str, Any] = services.definition(name)
        self.environments = services.environments(self.definition)
        self.queue_url = self.environments[WORKER_CONTAINER]["WATCHBOT_QUEUE_URL"]
        self.sqs = services.emulator.client("sqs")

    def task(self, **changes: Any) -> EcsTask:
        """Give a task of this service; ``changes`` are made to its worker container."""
        containers = [
            {**one, **changes} if one["Name"] == WORKER_CONTAINER else one
            for one in self.definition["ContainerDefinitions"]
        ]
        definition = {**self.definition, "ContainerDefinitions": containers}
        return EcsTask(self._services.docker, self._services.network, definition, self.environments)

    def send(self, *bodies: str) -> list[str]:
        """Send messages straight to the queue; gives their ids."""
        return [self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body)["MessageId"] for body in bodies]

    def waiting(self) -> tuple[int, int]:
        """How many messages are visible, and how many are in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])


class Services:
    """Builds the images and the app, and creates the app's data plane."""

    def __init__(
        self, client: docker.DockerClient, network: str, emulator: Emulator, host: EcsHost, directory: Path
    ) -> None:
        self.docker, self.network, self.emulator, self.host = client, network, emulator, host
        app = App(outdir=str(directory))
        stack = Stack(app, STACK)
        for name in IMAGES:
            add_service(stack, name)
        app.synth()
        self._template = json.loads((directory / f"{STACK}.template.json").read_text())
        self._images = {name: self._build(_HERE / "images", name) for name in IMAGES}
        assets = json.loads((directory / f"{STACK}.assets.json").read_text())["dockerImages"]
        self._assets = {
            key: self._build(directory / asset["source"]["directory"], None) for key, asset in assets.items()
        }
        self._values = self._resolve()

    def definition(self, name: str) -> Mapping[str, Any]:
        """Give the task definition of a service, with images that this machine has."""
        properties = next(
            resource["Properties"]
            for key, resource in self._template["Resources"].items()
            if resource["Type"] == "AWS::ECS::TaskDefinition" and key.startswith(f"{name}Task")
        )
        containers = [{**one, "Image": self._image(one["Image"])} for one in properties["ContainerDefinitions"]]
        return {**properties, "ContainerDefinitions": containers}

    def environments(self, definition: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """Give each container's variables: its own, ECS's, and where the embedded AWS is."""
        found = {}
        for container in definition["ContainerDefinitions"]:
            own = {
                one["Name"]: self._values[json.dumps(one["Value"], sort_keys=True)]
                for one in container.get("Environment", [])
            }
            endpoint = {"WATCHBOT_ENDPOINT_URL": self.emulator.endpoint_url}
            found[container["Name"]] = {**self.host.environment(REGION), **own, **endpoint}
        return found

    def _resolve(self) -> dict[str, str]:
        """Create queues and topics, and learn what every variable's value is."""
        values = {
            json.dumps(one["Value"], sort_keys=True): one["Value"]
            for resource in self._template["Resources"].values()
            if resource["Type"] == "AWS::ECS::TaskDefinition"
            for container in resource["Properties"]["ContainerDefinitions"]
            for one in container.get("Environment", [])
        }
        created = DataPlane({STACK: self._template}, self.emulator).create({STACK: list(values.values())})
        return dict(zip(values, created[STACK], strict=True))

    def _image(self, image: Any) -> str:
        text = json.dumps(image)
        built = {**{f'"e2e/{name}"': tag for name, tag in self._images.items()}, **self._assets}
        return next(tag for key, tag in built.items() if key in text)

    def _build(self, directory: Path, target: str | None) -> str:
        arguments = {"BASE_IMAGE": BASE_IMAGE}
        image, _ = self.docker.images.build(path=str(directory), target=target, buildargs=arguments, rm=True)
        return str(image.id)


def add_service(stack: Stack, name: str) -> Watchbot:
    """Add a service whose workers need nothing of their image but a busybox."""
    return Watchbot(
        stack,
        name,
        image=ecs.ContainerImage.from_registry(f"e2e/{name}"),
        isolation=Isolation.PROCESS,
        command=["/bin/busybox", "sh", "-c", WORKER],
        workers=4,
        environment={"MODE": "fast", "AWS_SESSION_TOKEN": "theirs", "NO_PROXY": "*"},
        backoff=Backoff(base=1),
        visibility_timeout=Duration.seconds(30),
    )
