"""An account's ECS and Service Quotas behind real clients, which check what they are asked; it answers in pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import boto3

from watchbot.contract import Description, Isolation

CLUSTER = "arn:aws:ecs:eu-west-1:111122223333:cluster/elsewhere"
_SERVICE = "arn:aws:ecs:eu-west-1:111122223333:service/elsewhere/watchers"
_PAGE = 100
_MOST_DESCRIBED = 100


def instance(number: int, cpu: int = 2048, memory: int = 4096, **others: Any) -> dict[str, Any]:
    """Describe a container instance with so much left on it."""
    sets = {"GPU": others.pop("gpus", []), "PORTS": others.pop("ports", ["22"]), "PORTS_UDP": others.pop("udp", [])}
    attributes = {"ecs.instance-type": others.pop("kind", "c5.large"), **others.pop("attributes", {})}
    return {
        "containerInstanceArn": f"arn:aws:ecs:eu-west-1:111122223333:container-instance/elsewhere/{number:032}",
        "ec2InstanceId": f"i-{number:017}",
        "status": "ACTIVE",
        "agentConnected": True,
        "attributes": [
            {"name": name} | ({} if value is None else {"value": value}) for name, value in attributes.items()
        ],
        "remainingResources": [
            {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
            *({"name": name, "type": "STRINGSET", "stringSetValue": values} for name, values in sets.items()),
        ],
        **others,
    }


def definition(name: str, *containers: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """Describe a task definition."""
    arn = f"arn:aws:ecs:eu-west-1:111122223333:task-definition/{name}:7"
    return {"taskDefinitionArn": arn, "family": name, "containerDefinitions": list(containers), **others}


def told(**settings: str) -> list[dict[str, str]]:
    """Give a container's environment in which a watcher is told this."""
    variables = {"QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs", **settings}
    return [{"name": f"WATCHBOT_{name}", "value": value} for name, value in variables.items()]


class Account:
    """What is in it: one cluster with instances; ``fitting`` says for which of them an expression holds.

    ``denied`` are the operations that its credentials may not call.
    """

    region = "eu-west-1"

    def __init__(self) -> None:
        self.service: dict[str, Any] = {
            "serviceArn": _SERVICE,
            "serviceName": "watchers",
            "status": "ACTIVE",
            "taskDefinition": "watcher",
        }
        self.definitions: dict[str, dict[str, Any]] = {}
        self.instances: list[dict[str, Any]] = []
        self.fitting: dict[str, list[int]] = {}
        self.tasks: dict[str, list[dict[str, Any]]] = {CLUSTER: []}
        self.quotas: dict[str, float] = {}
        self.default_quotas: dict[str, float] = {}
        self.denied: set[str] = set()
        self.asked: list[str] = []

    def of_tasks(self, worker: Mapping[str, Any], **settings: str) -> Description:
        """Deploy a service whose workers are tasks of this definition."""
        self.definitions |= {worker["taskDefinitionArn"]: dict(worker)}
        environment = told(CLUSTER=CLUSTER, TASK_DEFINITION=worker["taskDefinitionArn"], **settings)
        self.definitions["watcher"] = definition("Q9", {"name": "any", "environment": environment}, cpu="256")
        return _description(Isolation.TASK)

    def of_processes(self, task: Mapping[str, Any], **service: Any) -> Description:
        """Deploy a service whose own tasks are of this definition."""
        self.definitions["watcher"] = dict(task)
        self.service |= service
        return _description(Isolation.PROCESS)

    def client(self, name: str) -> Any:
        """Make a client of its ECS or its Service Quotas."""
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        client = boto3.client(name, region_name=self.region, **keys)  # type: ignore[call-overload] # any name
        client.meta.events.register("before-call", self._answer)
        return client

    def _answer(self, model: Any, params: Mapping[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        self.asked.append(model.name)
        asked = json.loads(params["body"])
        if model.name in self.denied:
            return _error(400, "AccessDeniedException", f"not authorized to perform {model.name}")
        if "cluster" in asked and asked["cluster"] not in self.tasks:
            return _error(400, "ClusterNotFoundException", "Cluster not found.")
        found: Any = getattr(self, f"_{model.name}")(asked)
        return found if isinstance(found, tuple) else (SimpleNamespace(status_code=200), found)

    def _DescribeServices(self, asked: Mapping[str, Any]) -> Any:  # noqa: N802 - the operation's name
        return {
            "services": [self.service] if asked["services"] == [self.service["serviceArn"]] else [],
            "failures": [],
        }

    def _DescribeTaskDefinition(self, asked: Mapping[str, Any]) -> Any:  # noqa: N802
        return {"taskDefinition": self.definitions[asked["taskDefinition"]]}

    def _ListContainerInstances(self, asked: Mapping[str, Any]) -> Any:  # noqa: N802
        chosen = self.instances
        if "filter" in asked:
            chosen = [self.instances[number] for number in self.fitting[asked["filter"]]]
        return _page([one["containerInstanceArn"] for one in chosen], "containerInstanceArns", asked)

    def _DescribeContainerInstances(self, asked: Mapping[str, Any]) -> Any:  # noqa: N802
        return _chosen(self.instances, "containerInstanceArn", asked["containerInstances"], "containerInstances")

    def _ListClusters(self, asked: Mapping[str, Any]) -> Any:  # noqa: N802
        return _page(list(self.tasks), "clusterArns", asked)

    def _ListTasks(self, asked: Mapping[str, Any]) -> Any:  # noqa: N802
        return _page([one["taskArn"] for one in self.tasks[asked["cluster"]]], "taskArns", asked)

    def _DescribeTasks(self, asked: Mapping[str, Any]) -> Any:  # noqa: N802
        return _chosen(self.tasks[asked["cluster"]], "taskArn", asked["tasks"], "tasks")

    def _GetServiceQuota(self, asked: Mapping[str, Any]) -> Any:  # noqa: N802
        return _quota(self.quotas, asked)

    def _GetAWSDefaultServiceQuota(self, asked: Mapping[str, Any]) -> Any:  # noqa: N802
        return _quota(self.default_quotas, asked)


def _description(isolation: Isolation) -> Description:
    return Description(
        service="Stack/Any/Path",
        isolation=isolation,
        topic_arn="topic",
        queue_url="queue",
        dead_letter_queue_url="letters",
        log_group="log",
        cluster=CLUSTER,
        ecs_service=_SERVICE,
        task_definition="watcher",
        worker_task_definition="worker",
    )


def _page(arns: Sequence[str], name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    start = int(asked.get("nextToken", 0))
    following = {"nextToken": str(start + _PAGE)} if start + _PAGE < len(arns) else {}
    return {name: list(arns[start : start + _PAGE]), **following}


def _chosen(things: Sequence[dict[str, Any]], key: str, arns: Sequence[str], name: str) -> Any:
    if len(arns) > _MOST_DESCRIBED:
        return _error(400, "InvalidParameterException", f"{len(arns)} are too many")
    return {name: [one for one in things if one[key] in arns], "failures": []}


def _quota(quotas: Mapping[str, float], asked: Mapping[str, Any]) -> Any:
    if asked["ServiceCode"] != "fargate" or asked["QuotaCode"] not in quotas:
        return _error(400, "NoSuchResourceException", "no such quota")
    return {"Quota": {"QuotaCode": asked["QuotaCode"], "Value": quotas[asked["QuotaCode"]]}}


def _error(status: int, code: str, text: str) -> tuple[Any, dict[str, Any]]:
    return SimpleNamespace(status_code=status), {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {}}
