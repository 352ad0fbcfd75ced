"""The watcher runs in any image, unchanged, and its worker sees the image's own environment."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest

from tests.e2e.ecs_task import EcsTask, TaskFailedToStartError
from tests.e2e.services import IMAGES, Service, Services
from watchbot.contract import PREFIX, WORKER_CONTAINER, WORKER_ENV_PREFIX, WORKER_VARIABLES, Event, Outcome
from watchbot.journal import Entry, parse_line

WORKER = WORKER_CONTAINER


def entries(task: EcsTask) -> list[Entry]:
    return [entry for line in task.output(WORKER).splitlines() if (entry := parse_line(line)) is not None]


def until(condition: Callable[[], object], task: EcsTask, seconds: float = 60) -> None:
    """Wait for what the containers do; says what they said when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        task.containers[WORKER].reload()
        assert task.containers[WORKER].status == "running", task.output(WORKER)
        assert time.monotonic() < end, task.output(WORKER)
        time.sleep(0.05)


def finished(task: EcsTask) -> dict[str | None, str]:
    """Give the outcomes of jobs by message id."""
    return {e.message_id: e.fields["outcome"] for e in entries(task) if e.event == Event.JOB_FINISHED}


def own_environment(service: Service, services: Services) -> dict[bytes, bytes]:
    """Give the environment that a program has in this container when there is no watcher."""
    plain = services.docker.containers.run(
        next(one["Image"] for one in service.definition["ContainerDefinitions"] if one["Name"] == WORKER),
        ["-w", "0", "/proc/self/environ"],
        detach=True,
        entrypoint=["/bin/busybox", "base64"],
        environment=service.environments[WORKER],
    )
    plain.wait(timeout=60)
    printed = plain.logs()
    plain.remove()
    container = parse_block(printed)
    own = {name: value for name, value in container.items() if not name.startswith(PREFIX.encode())}
    shadowed = WORKER_ENV_PREFIX.encode()
    return own | {n.removeprefix(shadowed): v for n, v in container.items() if n.startswith(shadowed)}


def parse_block(encoded: bytes | str) -> dict[bytes, bytes]:
    block = base64.b64decode(encoded)
    pairs = (entry.partition(b"=") for entry in block.split(b"\0") if entry)
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("image", IMAGES)
def test_the_watcher_runs_in_any_image_and_the_worker_sees_its_own_environment(image: str, services: Services) -> None:
    service = Service(services, image)
    credentials_given = services.host.credentials_given
    with service.task() as task:
        succeeds, rejects, dead, fails = service.send("fine", "exit3", "exit5", "exit1")
        until(lambda: len(finished(task)) == 4, task)
        assert finished(task) == {
            succeeds: Outcome.SUCCEEDED,
            rejects: Outcome.REJECTED,
            dead: Outcome.DEAD_LETTERED,
            fails: Outcome.FAILED,
        }
        assert task.health(WORKER) == 0
        # It settles for what the stop leaves it: the failed message is in back-off.
        assert task.stop(WORKER) == 0
        said = entries(task)
    lines = [e.line for e in said if e.source == "worker" and e.message_id == succeeds]
    assert {"message agrees", "said with watchbot-log", "usage: watchbot-progress COMMAND [JOB] [options]"} <= set(
        lines
    )
    seen = parse_block(next(line.removeprefix("environment ") for line in lines if line.startswith("environment ")))
    expected = own_environment(service, services)
    assert seen[b"PATH"] == expected.pop(b"PATH") + b":/opt/watchbot/tools"
    assert seen[b"Message"] == b"fine"
    ours = {name.encode() for name in WORKER_VARIABLES} | {b"TMPDIR", b"PATH", b"HOSTNAME"}
    expected.pop(b"HOSTNAME")
    assert {name: value for name, value in seen.items() if name not in ours} == expected
    assert services.host.credentials_given > credentials_given
    service.sqs.purge_queue(QueueUrl=service.queue_url)  # the failed message is in its back-off


def test_a_read_only_root_leaves_workers_their_scratch_directory(services: Services) -> None:
    service = Service(services, "debian")
    with service.task(ReadonlyRootFilesystem=True) as task:
        (message,) = service.send("fine")
        until(lambda: message in finished(task), task)
        assert finished(task)[message] == Outcome.SUCCEEDED
        assert task.exec(WORKER, "/bin/busybox", "touch", "/file")[0] != 0
        assert task.stop(WORKER) == 0


def test_a_stop_drains_whatever_signal_the_image_makes_it(services: Services) -> None:
    service = Service(services, "sigquit")
    with service.task() as task:
        (message,) = service.send("brief")
        until(lambda: any(e.event == Event.JOB_STARTED for e in entries(task)), task)
        assert task.stop(WORKER) == 0
        (draining,) = (e for e in entries(task) if e.event == Event.WATCHER_DRAINING)
        assert "SIGQUIT" in draining.line
        assert finished(task)[message] == Outcome.SUCCEEDED


@pytest.mark.parametrize(("image", "says"), [("preload", "libx.so.6"), ("librarypath", "libx.so.6")])
def test_the_poison_in_an_image_is_real(image: str, says: str, services: Services) -> None:
    """Python of the image itself does not start there."""
    service = Service(services, image)
    with service.task() as task:
        exit_code, said = task.exec(WORKER, "python3", "-c", "import ssl")
        assert exit_code != 0
        assert says in said


def test_a_watcher_that_is_process_1_reaps_what_jobs_leave(services: Services) -> None:
    service = Service(services, "debian")
    with service.task(LinuxParameters={"InitProcessEnabled": False}) as task:
        messages = service.send("fine", "exit3", "fine")
        until(lambda: set(messages) <= finished(task).keys(), task)
        _, processes = task.exec(WORKER, "/bin/busybox", "ps", "-o", "pid,stat,args")
        rows = [row.split(None, 2) for row in processes.splitlines()[1:]]
        others = [row for row in rows if row[0] != "1" and "busybox ps" not in row[2]]
        assert (others, rows[0][2].split()[0]) == ([], "/opt/watchbot/lib/ld.so")
        assert task.stop(WORKER) == 0


def test_a_container_that_is_lost_loses_no_message(services: Services) -> None:
    service = Service(services, "debian")
    with service.task() as task:
        service.send("wait")
        until(lambda: any(e.event == Event.JOB_STARTED for e in entries(task)), task)
        assert service.waiting() == (0, 1)
        task.kill(WORKER)
        task.wait(WORKER)
    assert sum(service.waiting()) == 1
    service.sqs.purge_queue(QueueUrl=service.queue_url)


def test_the_task_is_protected_while_jobs_run(services: Services) -> None:
    service = Service(services, "busybox")
    services.host.protections.clear()
    with service.task() as task:
        service.send("wait")
        until(lambda: services.host.protections == [True], task)
        task.containers[WORKER].kill("SIGTERM")
        task.containers[WORKER].kill("SIGTERM")
        assert task.wait(WORKER) == 0
    service.sqs.purge_queue(QueueUrl=service.queue_url)


def test_names_resolve_and_certificates_are_known_in_an_image_that_has_neither(services: Services) -> None:
    service = Service(services, "busybox")
    program = (
        "import socket, ssl, botocore.httpsession as h; "
        "print(socket.getaddrinfo(socket.gethostname(), 443)[0][4][1], "
        "len(ssl.create_default_context(cafile=h.where()).get_ca_certs()) > 50)"
    )
    with service.task() as task:
        runtime = "/opt/watchbot"
        python = [
            f"{runtime}/lib/ld.so",
            "--inhibit-cache",
            "--library-path",
            f"{runtime}/lib",
            f"{runtime}/bin/python",
        ]
        assert task.exec(WORKER, *python, "-I", "-S", "-c", program) == (0, "443 True\n")


def test_the_runtime_is_read_only_for_workers(services: Services) -> None:
    service = Service(services, "debian")
    with service.task() as task:
        assert task.exec(WORKER, "/bin/busybox", "touch", "/opt/watchbot/start")[0] != 0


def test_refuses_a_command_that_the_image_does_not_have(services: Services) -> None:
    service = Service(services, "busybox")
    with service.task(Command=["python3", "work.py"]) as task:
        assert task.wait(WORKER) == 2
        assert "watchbot: command not found: python3 in PATH" in task.output(WORKER)


def test_a_task_whose_runtime_cannot_be_brought_does_not_start(services: Services) -> None:
    service = Service(services, "debian")
    definition = {
        **service.definition,
        "ContainerDefinitions": [
            {**one, "Command": ["install", "/proc/nowhere"]} if one["Name"] != WORKER else one
            for one in service.definition["ContainerDefinitions"]
        ],
    }
    task = EcsTask(services.docker, services.network, definition, service.environments)
    with pytest.raises(TaskFailedToStartError, match="watchbot: cannot install into /proc/nowhere: "), task:
        pass
