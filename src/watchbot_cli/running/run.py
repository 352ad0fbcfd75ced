"""The command itself."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from watchbot.message import Message
from watchbot_cli.assembly import Assembly, synthesise
from watchbot_cli.described import choose, find_described
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.local.deployment import Deployed, deploy, secrets_of
from watchbot_cli.local.emulator import Emulator
from watchbot_cli.local.service import Service, find_services
from watchbot_cli.local.watcher_process import check_command, worker_environment
from watchbot_cli.output import talk
from watchbot_cli.running.beside import Beside
from watchbot_cli.running.container import (
    CANNOT_START,
    Container,
    beside_docker,
    docker_program,
    image_of,
    variables_of,
)
from watchbot_cli.running.given import given_message
from watchbot_cli.running.payload import SETTING, copy_payload, pointer_of_message
from watchbot_cli.running.verdict import exit_code, verdict


def run(
    *, app: str | None, service: str | None, message: str | None, file: str | None, receive_count: int, docker: bool
) -> int:
    """Run the job of one message; gives the exit code. Raises :class:`CommandError`."""
    program = docker_program() if docker else None
    with tempfile.TemporaryDirectory(prefix="watchbot-run-") as name:
        folder = Path(name)
        assembly = synthesise(app, folder / "cdk.out")
        one = _service(assembly, service, docker=docker)
        secrets_of(one)
        given = given_message(message, file, fifo=one.fifo, receive_count=receive_count)
        image = None if program is None else image_of(program, one.image, assembly.source_of(one.image), folder)
        with Emulator(_made(folder, "aws")) as emulator:
            deployed = _deployed(one, assembly, emulator)
            deployed.environment.update(_payload(given, deployed, emulator, folder))
            beside = Beside(given, folder, _made(folder, "scratch"), own_input="-" in (file, message))
            if program is None or image is None:
                answer = _as_process(beside, deployed, emulator)
            else:
                with Container(program, image, one.isolation) as container:
                    answer = _in_container(beside, container, deployed, emulator)
    talk().print(f"watchbot: {verdict(answer)}")
    return exit_code(answer)


def _made(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def _service(assembly: Assembly, wanted: str | None, *, docker: bool) -> Service:
    found = choose(find_described(assembly.templates), wanted)
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise UsageError(f"the app holds several Watchbots, name one with --service: {names}")
    return find_services(assembly, found[0].name, without_docker=not docker)[0]


def _deployed(service: Service, assembly: Assembly, emulator: Emulator) -> Deployed:
    try:
        return deploy([service], assembly, emulator)[0]
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"the embedded AWS refused: {error}") from error


def _payload(message: Message, deployed: Deployed, emulator: Emulator, folder: Path) -> dict[str, str]:
    """Bring what the message points to, where the service takes such messages; gives the setting that is other then."""
    pointer = pointer_of_message(message) if SETTING in deployed.environment else None
    if pointer is None:
        return {}
    copy_payload(pointer, emulator, folder)
    return {SETTING: pointer.bucket}


def _as_process(beside: Beside, deployed: Deployed, emulator: Emulator) -> dict[str, Any]:
    environment = worker_environment(deployed.environment, emulator.environment())
    check_command(deployed.name, deployed.command, deployed.directory, environment)
    return beside.run(deployed.command, deployed.directory, environment)


def _in_container(beside: Beside, container: Container, deployed: Deployed, emulator: Emulator) -> dict[str, Any]:
    aws = emulator.environment()
    command = container.command(deployed.command, {**aws, **variables_of(deployed.environment)}, beside.scratch)
    answer = beside.run(command, None, worker_environment(beside_docker(deployed.environment), aws))
    if answer.get("exit_code") == CANNOT_START:
        raise CommandError("Docker could not start the container, and has said why above")
    return answer
