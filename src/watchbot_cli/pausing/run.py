"""What the commands do, and what they say of it."""

from __future__ import annotations

from watchbot_cli.options import Target
from watchbot_cli.output import write, write_json
from watchbot_cli.pausing.pausable import PausableService
from watchbot_cli.place import Place
from watchbot_cli.session import Session
from watchbot_cli.stack import find


def pause(target: Target, *, as_json: bool) -> None:
    """Pause the service."""
    place, service = _found(target, "its watchers stop with it")
    desired = service.pause().desired
    _tell(place, f"paused: jobs that run go on, and resume brings back {desired} watchers", True, desired, as_json)


def resume(target: Target, *, as_json: bool) -> None:
    """Resume the service."""
    place, service = _found(target, "its watchers would stop again")
    before = service.resume()
    if before is None:
        _tell(place, "not paused: nothing was done", False, None, as_json)
    else:
        _tell(place, f"resumed with {before.desired} watchers", False, before.desired, as_json)


def _found(target: Target, acts: str) -> tuple[Place, PausableService]:
    session = Session(target)
    found = find(session, target, acts=acts)
    ecs, autoscaling = session.client("ecs"), session.client("application-autoscaling")
    return found.place, PausableService(ecs, autoscaling, found.service.cluster, found.service.ecs_service)


def _tell(place: Place, text: str, paused: bool, desired: int | None, as_json: bool) -> None:
    if as_json:
        write_json({"service": place.service, "paused": paused, "watchers": desired})
    else:
        write(f"{place} is {text}")
