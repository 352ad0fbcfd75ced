"""How many more workers there is room for, on instances and on Fargate."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.cli.account import CLUSTER, Account, definition, instance, told
from watchbot.contract import Description
from watchbot_cli.errors import CommandError
from watchbot_cli.options import Target
from watchbot_cli.room.run import worker_capacity

ON_DEMAND, SPOT = "L-3032A538", "L-36FBB829"
EC2 = {"TASK_LAUNCH_TYPE": "ec2"}
_TARGET = Target("Stack", None, None, None)

Told = Callable[[Description], dict[str, Any]]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account()
    monkeypatch.setattr("watchbot_cli.room.run.Session", lambda _: account)
    return account


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    def run(description: Description) -> dict[str, Any]:
        monkeypatch.setattr("watchbot_cli.room.run.find_service", lambda *_: description)
        code = worker_capacity(_TARGET, as_json=True)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert code == (found["workers"] is None)
        return found

    return run


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Description], list[str]]:
    def run(description: Description) -> list[str]:
        monkeypatch.setattr("watchbot_cli.room.run.find_service", lambda *_: description)
        worker_capacity(_TARGET, as_json=False)
        return capsys.readouterr().out.splitlines()

    return run


def _worker(**others: Any) -> dict[str, Any]:
    return definition("whatever", {"name": "w", "memory": 1024, "cpu": 512, **others})


def _limits(told: dict[str, Any]) -> list[tuple[int, str]]:
    return [(room["tasks"], room["limit"]) for room in told["pools"][0]["instances"]]


def test_each_instance_of_every_page_has_room_for_whole_tasks_only(account: Account, found: Told) -> None:
    account.instances = [instance(number, cpu=1100, memory=1900) for number in range(150)]
    told = found(account.of_tasks(_worker(), **EC2))
    assert told["workers"] == 150
    assert len(told["pools"][0]["instances"]) == 150
    assert account.asked.count("ListContainerInstances") == account.asked.count("DescribeContainerInstances") == 2


def test_of_many_instances_those_with_most_room_are_shown_and_the_rest_added_up(
    account: Account, said: Callable[[Description], list[str]]
) -> None:
    account.instances = [instance(number, memory=2048 if number < 140 else 3072) for number in range(150)]
    lines = said(account.of_tasks(_worker(), **EC2))
    assert lines[0] == "Stack/Any/Path in cluster elsewhere: a task for a worker takes 512 CPU units, 1024 MiB"
    assert len(lines) == 1 + 1 + 20 + 1 + 2
    assert lines[2].split() == ["i-00000000000000140", "c5.large", "2,048", "3,072", "0", "3", "memory"]
    assert lines[-3:] == [
        "and 130 more instances: 260 workers",
        "EC2: 310 more workers: on 150 instances",
        "room for 310 more workers",
    ]


def test_what_is_used_up_first_decides_on_instances_of_any_type(account: Account, found: Told) -> None:
    account.instances = [
        instance(1, cpu=16384, memory=2000, kind="c5.4xlarge"),
        instance(2, cpu=1024, memory=65536, kind="r5.large"),
        instance(3, cpu=256, memory=65536, kind="t3.nano"),
    ]
    assert _limits(found(account.of_tasks(_worker(), **EC2))) == [(1, "memory"), (2, "CPU"), (0, "CPU")]


def test_a_gpu_goes_to_one_worker(account: Account, found: Told) -> None:
    account.instances = [instance(1, gpus=["g1", "g2", "g3"]), instance(2)]
    worker = _worker(resourceRequirements=[{"type": "GPU", "value": "2"}])
    assert _limits(found(account.of_tasks(worker, **EC2))) == [(1, "GPU"), (0, "GPU")]


@pytest.mark.parametrize("mode", ["bridge", "host"])
def test_a_host_port_is_there_once_for_each_protocol(account: Account, found: Told, mode: str) -> None:
    account.instances = [instance(1), instance(2, ports=["22", "8080"]), instance(3, udp=["8080"])]
    ports = [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]
    worker = {**_worker(portMappings=ports), "networkMode": mode}
    expected = [(1, "host port"), (0, "port 8080 is taken"), (1, "host port")]
    assert _limits(found(account.of_tasks(worker, **EC2))) == expected


@pytest.mark.parametrize(("mode", "tasks"), [("bridge", 4), ("awsvpc", 4), ("host", 0)])
def test_a_port_without_a_host_port_is_of_the_instance_in_host_mode_alone(
    account: Account, found: Told, mode: str, tasks: int
) -> None:
    account.instances = [instance(1, ports=["8080"])]
    told = found(account.of_tasks({**_worker(portMappings=[{"containerPort": 8080}]), "networkMode": mode}, **EC2))
    assert told["workers"] == tasks
    assert any("network interfaces" in reason for reason in told["not_counted"]) == (mode == "awsvpc")


@pytest.mark.parametrize(
    ("worker", "tasks"),
    [
        (definition("t", {"memory": 9999, "cpu": 999}, cpu="1024", memory="2048"), 2),
        (definition("t", {"memory": 4096, "memoryReservation": 500}, {"memoryReservation": 524}), 4),
        (definition("t", {"memory": 1024, "cpu": 600}, {"memoryReservation": 64, "cpu": 600}), 1),
    ],
    ids=["of the task", "the soft limit goes before the hard one", "all containers together"],
)
def test_a_task_takes_what_ecs_reserves_for_it(
    account: Account, found: Told, worker: dict[str, Any], tasks: int
) -> None:
    account.instances = [instance(1)]
    assert found(account.of_tasks(worker, **EC2))["workers"] == tasks


def test_no_task_goes_where_ecs_places_none(account: Account, found: Told) -> None:
    account.instances = [
        instance(1),
        instance(2, status="DRAINING"),
        instance(3, agentConnected=False),
        instance(4, attributes={"ecs.capability.gpu-driver-version": "535"}),
        instance(5, attributes={"ecs.capability.external": None}),
    ]
    worker = {**_worker(), "requiresAttributes": [{"name": "ecs.capability.gpu-driver-version"}]}
    assert _limits(found(account.of_tasks(worker, **EC2))) == [
        (0, "lacks ecs.capability.gpu-driver-version"),
        (0, "DRAINING"),
        (0, "agent is not connected"),
        (4, "memory"),
    ]


def test_a_cluster_without_instances_has_no_room(
    account: Account, found: Told, said: Callable[[Description], list[str]]
) -> None:
    description = account.of_tasks(_worker(), **EC2)
    assert found(description)["workers"] == 0
    assert said(description)[-2:] == [
        "EC2: 0 more workers: the cluster has no instances",
        "room for 0 more workers",
    ]


def test_a_task_larger_than_any_instance_has_no_room(account: Account, found: Told) -> None:
    account.instances = [instance(1), instance(2)]
    assert _limits(found(account.of_tasks(_worker(memory=8192), **EC2))) == [(0, "memory")] * 2


def test_constraints_are_ecs_own_to_judge(account: Account, found: Told) -> None:
    account.instances = [instance(0), instance(1), instance(2)]
    account.fitting = {"attribute:zone == a": [0, 2], "attribute:kind == b": [1, 2]}
    constraint = json.dumps([{"type": "memberOf", "expression": "attribute:zone == a"}])
    worker = {**_worker(), "placementConstraints": [{"type": "memberOf", "expression": "attribute:kind == b"}]}
    told = found(account.of_tasks(worker, TASK_PLACEMENT_CONSTRAINTS=constraint, **EC2))
    assert _limits(told) == [(0, "placement constraint"), (0, "placement constraint"), (4, "memory")]


def test_distinct_instances_take_one_task_each_where_none_of_its_group_is(account: Account, found: Told) -> None:
    account.instances = [instance(0), instance(1)]
    account.fitting = {"task:group == family:whatever": [1]}
    told = found(account.of_tasks(_worker(), TASK_PLACEMENT_CONSTRAINTS='[{"type": "distinctInstance"}]', **EC2))
    assert _limits(told) == [(1, "one for each instance"), (0, "has one already")]


def test_a_capacity_provider_has_its_own_instances(account: Account, found: Told) -> None:
    account.instances = [instance(1, capacityProviderName="mine"), instance(2), instance(3, capacityProviderName="his")]
    told = found(account.of_tasks(_worker(), TASK_CAPACITY="mine=1,empty=1"))
    assert [(pool["name"], pool["tasks"]) for pool in told["pools"]] == [("mine", 4), ("empty", 0)]
    assert told["pools"][1]["why"] == "capacity provider empty has no instances"
    assert account.asked.count("ListContainerInstances") == 1


def _process_task(workers: int, **others: Any) -> dict[str, Any]:
    container = {"name": "w", "memory": 1024, "environment": told(WORKERS=str(workers))}
    return definition("warm", container, **others)


def test_a_task_of_processes_has_room_for_several_workers(account: Account, found: Told) -> None:
    account.instances = [instance(1), instance(2, memory=1023)]
    told = found(account.of_processes(_process_task(8), launchType="EC2"))
    assert (told["workers"], told["workers_per_task"]) == (32, 8)


def test_constraints_of_a_service_count_and_its_tasks_are_a_group(account: Account, found: Told) -> None:
    account.instances = [instance(0), instance(1), instance(2)]
    account.fitting = {"attribute:zone == a": [0, 1], "task:group == service:watchers": [1]}
    constraints = [{"type": "distinctInstance"}, {"type": "memberOf", "expression": "attribute:zone == a"}]
    told = found(account.of_processes(_process_task(2), launchType="EC2", placementConstraints=constraints))
    assert [tasks for tasks, _ in _limits(told)] == [1, 0, 0]


def _fargate_task(number: int, provider: str | None = None, cpu: int = 1024) -> dict[str, Any]:
    named = {} if provider is None else {"capacityProviderName": provider}
    return {"taskArn": f"task/{number}", "launchType": "FARGATE", "cpu": str(cpu), **named}


def test_fargate_has_what_its_quota_leaves_beside_the_tasks_of_all_clusters(account: Account, found: Told) -> None:
    account.quotas = {ON_DEMAND: 200.0}
    account.tasks[CLUSTER] = [_fargate_task(number) for number in range(150)]
    other = [_fargate_task(1, "FARGATE", 512), _fargate_task(2, "FARGATE_SPOT"), {"taskArn": "e", "launchType": "EC2"}]
    account.tasks["other"] = other
    told = found(account.of_tasks(definition("t", {}, cpu="2048", memory="4096")))
    (pool,) = told["pools"]
    assert (told["workers"], pool["name"]) == (24, "FARGATE")
    assert pool["why"] == "200 vCPU are allowed, 150.5 in use by the ECS tasks of this account and region"
    assert any("EKS" in reason for reason in told["not_counted"])


def test_spot_and_on_demand_have_quotas_of_their_own_and_defaults(account: Account, found: Told) -> None:
    account.quotas, account.default_quotas = {ON_DEMAND: 2.0}, {SPOT: 4.0}
    account.tasks[CLUSTER] = [_fargate_task(1, "FARGATE_SPOT"), _fargate_task(2), _fargate_task(3), _fargate_task(4)]
    worker = definition("t", {}, cpu="512", memory="1024")
    told = found(account.of_tasks(worker, TASK_CAPACITY="FARGATE_SPOT=3,FARGATE=1"))
    assert [(pool["name"], pool["tasks"]) for pool in told["pools"]] == [("FARGATE_SPOT", 6), ("FARGATE", 0)]
    assert told["workers"] == 6
    assert account.asked.count("ListTasks") == 1


def test_weights_of_a_service_are_said_not_to_count(account: Account, found: Told) -> None:
    account.quotas = {ON_DEMAND: 1.0, SPOT: 1.0}
    strategy = [{"capacityProvider": name, "weight": weight} for name, weight in (("FARGATE", 1), ("FARGATE_SPOT", 4))]
    task = _process_task(3, cpu="256", memory="512", networkMode="awsvpc")
    told = found(
        account.of_processes(task, capacityProviderStrategy=[*strategy, {"capacityProvider": "base", "base": 2}])
    )
    assert told["workers"] == 24
    assert any(reason.startswith("weights") for reason in told["not_counted"])


def test_a_service_on_fargate_without_a_strategy_has_the_quota_of_on_demand(account: Account, found: Told) -> None:
    account.quotas = {ON_DEMAND: 1.0}
    told = found(account.of_processes(_process_task(3, cpu="512", memory="1024"), launchType="FARGATE"))
    assert [(pool["name"], pool["tasks"]) for pool in told["pools"]] == [("FARGATE", 2)]
    assert told["workers"] == 6


def test_without_a_right_to_quotas_fargate_is_not_known_and_the_rest_is(
    account: Account, found: Told, said: Callable[[Description], list[str]]
) -> None:
    account.denied = {"GetServiceQuota"}
    account.instances = [instance(1, capacityProviderName="mine")]
    worker = definition("t", {}, cpu="1024", memory="1024")
    description = account.of_tasks(worker, TASK_CAPACITY="FARGATE=1,mine=1")
    assert found(description)["workers"] is None
    lines = said(description)
    assert lines[-1] == "room for 2 more workers, and for those that are not known of"
    refusal = "these AWS credentials may not call GetServiceQuota: not authorized to perform GetServiceQuota"
    assert f"FARGATE: not known: {refusal}" in lines


def test_without_a_right_to_other_clusters_this_one_counts_and_that_is_said(account: Account, found: Told) -> None:
    account.denied, account.quotas = {"ListClusters"}, {ON_DEMAND: 4.0}
    account.tasks[CLUSTER], account.tasks["other"] = [_fargate_task(1)], [_fargate_task(2)]
    told = found(account.of_tasks(definition("t", {}, cpu="1024", memory="2048")))
    assert told["workers"] == 3
    assert "this cluster's tasks, those of others are not known" in told["pools"][0]["why"]
    assert "may not call ListClusters" in told["pools"][0]["why"]


def test_without_a_right_to_instances_that_is_said_in_their_place(account: Account, found: Told) -> None:
    account.denied = {"ListContainerInstances"}
    (pool,) = found(account.of_tasks(_worker(), **EC2))["pools"]
    assert (pool["name"], pool["tasks"], pool["instances"]) == ("EC2", None, None)
    assert "may not call ListContainerInstances" in pool["why"]


def test_refuses_a_service_that_is_gone(account: Account, found: Told) -> None:
    description = account.of_tasks(_worker())
    account.service["status"] = "INACTIVE"
    with pytest.raises(CommandError, match=r"watchers' is not active in cluster '.*elsewhere'"):
        found(description)


def test_refuses_a_task_definition_without_a_watcher(account: Account, found: Told) -> None:
    with pytest.raises(CommandError, match=r"no container of .*plain:7 is a watcher: none has .*WATCHBOT_QUEUE_URL"):
        found(account.of_processes(definition("plain", {"memory": 64})))


def test_refuses_a_watcher_of_another_contract(account: Account, found: Told) -> None:
    task = definition("later", {"memory": 64, "environment": told(CONTRACT_VERSION="99")})
    with pytest.raises(CommandError, match=r"the watcher of .*later:7 cannot be understood: .* version 99"):
        found(account.of_processes(task))
