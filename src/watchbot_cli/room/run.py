"""``watchbot worker-capacity`` itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from watchbot_cli.options import Target
from watchbot_cli.refusal import refusal_of
from watchbot_cli.room.fargate import QUOTAS, Fargate
from watchbot_cli.room.instances import Instances
from watchbot_cli.room.placement import WorkerPlacement, worker_placement
from watchbot_cli.room.pool import Pool
from watchbot_cli.room.report import Report
from watchbot_cli.session import Session
from watchbot_cli.stack import find_service


def worker_capacity(target: Target, *, as_json: bool) -> int:
    """Tell it; gives 1 when some of it could not be read."""
    session = Session(target)
    found = find_service(session, target)
    ecs = session.client("ecs")
    placement = worker_placement(ecs, found)
    report = Report(found.service, placement, tuple(_pools(session, ecs, placement)))
    report.show_json() if as_json else report.show()
    return 0 if report.workers is not None else 1


def _pools(session: Session, ecs: Any, placement: WorkerPlacement) -> Iterator[Pool]:
    """Look into each place where workers may run; what AWS refuses to tell of one is said there."""
    names = list(dict.fromkeys(placement.providers))
    fargate = [name for name in names if name in QUOTAS]
    others = [name for name in names if name not in QUOTAS]
    if others:
        yield from _on_instances(ecs, placement, others)
    if fargate:
        usage = Fargate(ecs, session.client("service-quotas"), placement)
        for name in fargate:
            try:
                yield usage.pool(str(name))
            except ClientError as error:
                yield _unknown(name, error)


def _on_instances(ecs: Any, placement: WorkerPlacement, names: list[str | None]) -> list[Pool]:
    try:
        instances = Instances(ecs, placement)
    except ClientError as error:
        return [_unknown(name, error) for name in names]
    return [instances.pool(name) for name in names]


def _unknown(name: str | None, error: ClientError) -> Pool:
    return Pool(name=name or "EC2", tasks=None, why=str(refusal_of(error)))
