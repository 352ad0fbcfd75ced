"""One task: when it starts and stops, and what DescribeTasks says of it."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Mapping
from typing import Any

from watchbot.contract import WORKER_CONTAINER

_REGION = "arn:aws:ecs:us-east-1:000000000000"


@dataclasses.dataclass(slots=True)
class Task:
    """A task on Fargate; all moments are known from its launch on, and a StopTask moves the last."""

    number: int
    name: str
    started_by: str
    family: str
    overrides: Mapping[str, Any]
    created_at: float
    shown_at: float
    starts_at: float
    stops_at: float
    exit_code: int
    stop_asked: str | None = None
    _text: tuple[str, bytes] = ("", b"")

    @property
    def arn(self) -> str:
        return f"{_REGION}:task/scale/{self.name}"

    def is_stopped(self, now: float) -> bool:
        return now >= self.stops_at

    def desired_status(self, now: float) -> str:
        return "STOPPED" if self.stop_asked is not None or self.is_stopped(now) else "RUNNING"

    def last_status(self, now: float) -> str:
        if self.is_stopped(now):
            return "STOPPED"
        return "RUNNING" if now >= self.starts_at else "PENDING"

    def description(self, now: float) -> bytes:
        """Give the task as JSON, of the fields and the length that ECS answers with; kept until it changes."""
        state = f"{self.last_status(now)}{self.stop_asked}"
        if state != self._text[0]:
            self._text = (state, json.dumps(self._described(now)).encode())
        return self._text[1]

    def _described(self, now: float) -> dict[str, Any]:
        address = f"10.0.{self.number // 250 % 250}.{self.number % 250}"
        return {
            "taskArn": self.arn,
            "clusterArn": f"{_REGION}:cluster/scale",
            "taskDefinitionArn": f"{_REGION}:task-definition/{self.family}:1",
            "startedBy": self.started_by,
            "group": f"family:{self.family}",
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "availabilityZone": "us-east-1a",
            "cpu": "256",
            "memory": "512",
            "ephemeralStorage": {"sizeInGiB": 20},
            "enableExecuteCommand": False,
            "healthStatus": "UNKNOWN",
            "version": 4,
            "tags": [],
            "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
            "desiredStatus": self.desired_status(now),
            "lastStatus": self.last_status(now),
            "overrides": {**self.overrides, "inferenceAcceleratorOverrides": []},
            "attachments": [_interface(self.name, address)],
            "containers": [self._container(now, address)],
            **self._moments(now),
        }

    def _moments(self, now: float) -> dict[str, Any]:
        moments: dict[str, Any] = {"createdAt": self.created_at}
        if min(now, self.stops_at) >= self.starts_at:
            pulled = {"pullStartedAt": self.starts_at - 9.25, "pullStoppedAt": self.starts_at - 2.5}
            moments |= {"connectivity": "CONNECTED", "connectivityAt": self.starts_at - 12.5, **pulled}
            moments["startedAt"] = self.starts_at
        if self.is_stopped(now):
            reason = self.stop_asked or "Essential container in task exited"
            moments |= {"stopCode": "UserInitiated" if self.stop_asked else "EssentialContainerExited"}
            moments |= {"stoppedReason": reason, "executionStoppedAt": self.stops_at - 0.5}
            moments |= {"stoppingAt": self.stops_at - 0.25, "stoppedAt": self.stops_at}
        return moments

    def _container(self, now: float, address: str) -> dict[str, Any]:
        container = {
            "containerArn": f"{_REGION}:container/scale/{self.name}/{uuid.uuid5(uuid.NAMESPACE_URL, self.name)}",
            "taskArn": self.arn,
            "name": WORKER_CONTAINER,
            "image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/scale:latest",
            "imageDigest": f"sha256:{self.name * 2}",
            "runtimeId": f"{self.name}-0123456789",
            "lastStatus": self.last_status(now),
            "networkBindings": [],
            "networkInterfaces": [{"attachmentId": _attachment(self.name), "privateIpv4Address": address}],
            "healthStatus": "UNKNOWN",
            "cpu": "0",
        }
        return container | ({"exitCode": self.exit_code} if self.is_stopped(now) else {})


def _attachment(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def _interface(name: str, address: str) -> dict[str, Any]:
    details = {
        "subnetId": "subnet-0123456789abcdef0",
        "networkInterfaceId": f"eni-{name[:17]}",
        "macAddress": "0a:1b:2c:3d:4e:5f",
        "privateDnsName": f"ip-{address.replace('.', '-')}.ec2.internal",
        "privateIPv4Address": address,
    }
    return {
        "id": _attachment(name),
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [{"name": key, "value": value} for key, value in details.items()],
    }
