"""What the commands do, and what they say of it."""

from __future__ import annotations

from watchbot_cli.options import Target
from watchbot_cli.output import write, write_json
from watchbot_cli.pausing.pausable import PausableService
from watchbot_cli.session import Session
from watchbot_cli.stack import find_service


def pause(target: Target, *, as_json: bool) -> None:
    """Pause the service."""
    name, service = _found(target)
    desired = service.pause().desired
    _tell(name, f"paused: jobs that run go on, and resume brings back {desired} watchers", True, desired, as_json)


def resume(target: Target, *, as_json: bool) -> None:
    """Resume the service."""
    name, service = _found(target)
    before = service.resume()
    if before is None:
        _tell(name, "not paused: nothing was done", False, None, as_json)
    else:
        _tell(name, f"resumed with {before.desired} watchers", False, before.desired, as_json)


def _found(target: Target) -> tuple[str, PausableService]:
    session = Session(target)
    found = find_service(session, target)
    ecs, autoscaling = session.client("ecs"), session.client("application-autoscaling")
    return found.service, PausableService(ecs, autoscaling, found.cluster, found.ecs_service)


def _tell(name: str, text: str, paused: bool, desired: int | None, as_json: bool) -> None:
    if as_json:
        write_json({"service": name, "paused": paused, "watchers": desired})
    else:
        write(f"{name} is {text}")
