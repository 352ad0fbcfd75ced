"""What a simulation would cost, and what a million messages cost: free tiers and discounts left out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from importlib import resources

from watchbot.contract import Isolation
from watchbot_cli.simulation.figures import Figures
from watchbot_cli.simulation.ledger import HEARTBEAT_SECONDS, TaskTime
from watchbot_cli.simulation.setting import Setting, Size

_HOUR = 3600.0
_MONTH_HOURS = 730.0
_MILLION = 1e6
_BATCH = 10
_POLL_SECONDS = 20.0
_LOG_GB_PER_JOB = 2e-6
"""About 2 kB of the watcher's own lines and metrics for a job; a worker's lines come on top."""
_METRIC_LAMBDA_GIB_SECONDS = 0.125 * 0.5
_SHORTEST_BILLED_SECONDS = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Prices:
    """On-demand prices of one region at one date, in USD; see ``prices.json`` for where they are from."""

    as_of: str
    region: str
    currency: str
    source: str
    fargate_x86_vcpu_hour: float
    fargate_x86_gib_hour: float
    fargate_arm_vcpu_hour: float
    fargate_arm_gib_hour: float
    spot_share_of_price: float
    public_ipv4_hour: float
    sqs_standard_million_requests: float
    sqs_fifo_million_requests: float
    alarm_metric_month: float
    custom_metric_month: float
    log_ingestion_gb: float
    lambda_million_requests: float
    lambda_gib_second: float

    @classmethod
    def read(cls) -> Prices:
        """Read the file beside this one."""
        return cls(**json.loads(resources.files(__package__ or "").joinpath("prices.json").read_text()))

    def task_hour(self, size: Size) -> float:
        """Give the price of an hour of a task on demand, without its address."""
        if size.arm:
            return size.vcpu * self.fargate_arm_vcpu_hour + size.memory_gib * self.fargate_arm_gib_hour
        return size.vcpu * self.fargate_x86_vcpu_hour + size.memory_gib * self.fargate_x86_gib_hour

    def sqs_request(self, *, fifo: bool) -> float:
        """Give the price of a request."""
        return (self.sqs_fifo_million_requests if fifo else self.sqs_standard_million_requests) / _MILLION


def breakdown(setting: Setting, figures: Figures, prices: Prices) -> Mapping[str, float]:
    """Give the cost in USD by what it is for; what is paid by the month counts for the time simulated."""
    months = figures.span_seconds / _HOUR / _MONTH_HOURS
    return {
        "compute": _compute(setting.size, figures.service, prices)
        + _compute(setting.worker_size, figures.workers, prices),
        "public IPv4": _addresses(setting.size, figures.service, prices)
        + _addresses(setting.worker_size, figures.workers, prices),
        "SQS": _requests(setting, figures) * prices.sqs_request(fifo=setting.fifo),
        "alarms": setting.alarm_metrics * prices.alarm_metric_month * months,
        "metrics": setting.custom_metrics * prices.custom_metric_month * months,
        "logs": figures.finished * _LOG_GB_PER_JOB * prices.log_ingestion_gb,
        "Lambda": _metric_lambda(figures.span_seconds, prices) if setting.metric_lambda else 0.0,
    }


def million_messages(
    isolation: Isolation, size: Size, job_seconds: float, prices: Prices, *, workers: int, spot: bool, start: float
) -> float:
    """Give the cost of a million messages of busy tasks: compute, addresses, requests and logs, nothing monthly.

    With Isolation.PROCESS each task works on ``workers`` messages at once; with TASK each message pays for a task
    from its ``start`` on, for a minute at least.
    """
    if isolation is Isolation.PROCESS:
        seconds, batch = job_seconds / workers, min(workers, _BATCH)
    else:
        seconds, batch = max(job_seconds + start, _SHORTEST_BILLED_SECONDS), _BATCH
    hourly = prices.task_hour(size) * (prices.spot_share_of_price if spot else 1)
    hourly += prices.public_ipv4_hour if size.public_ip else 0
    requests = 1 + (2 + job_seconds // HEARTBEAT_SECONDS) / batch
    message = seconds / _HOUR * hourly + requests * prices.sqs_request(fifo=False)
    return _MILLION * (message + _LOG_GB_PER_JOB * prices.log_ingestion_gb)


def _compute(size: Size, time: TaskTime, prices: Prices) -> float:
    paid = time.billed_seconds - time.spot_billed_seconds * (1 - prices.spot_share_of_price)
    return paid / _HOUR * prices.task_hour(size)


def _addresses(size: Size, time: TaskTime, prices: Prices) -> float:
    return time.billed_seconds / _HOUR * prices.public_ipv4_hour if size.public_ip else 0.0


def _requests(setting: Setting, figures: Figures) -> float:
    """Count requests: each message sent alone, received and deleted in batches, heartbeats, and polls for nothing."""
    batch = min(setting.workers, _BATCH)
    idle_seconds = max(0.0, figures.service.seconds - figures.job_seconds / setting.workers)
    in_batches = 2 * figures.finished + figures.heartbeats
    return figures.finished + in_batches / batch + idle_seconds / _POLL_SECONDS


def _metric_lambda(seconds: float, prices: Prices) -> float:
    calls = seconds / 60
    return calls * (prices.lambda_million_requests / _MILLION + _METRIC_LAMBDA_GIB_SECONDS * prices.lambda_gib_second)
