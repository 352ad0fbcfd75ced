"""What a million messages cost, by isolation and capacity."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from watchbot.contract import Isolation
from watchbot_cli.simulation.cost import Prices, million_messages
from watchbot_cli.simulation.setting import Size

_SIZE = Size()
_WORKERS = (1, 4, 16)
_CAPACITIES = (("Fargate", False, False), ("Fargate ARM", True, False), ("Spot", False, True), ("Spot ARM", True, True))


@dataclasses.dataclass(frozen=True, slots=True)
class CostsTable:
    """USD for a million messages; a row is an isolation, a column a capacity."""

    job_seconds: float
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[float]]]
    prices: Prices

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON would hold it."""
        return {
            "job_seconds": self.job_seconds,
            "prices": {"as_of": self.prices.as_of, "region": self.prices.region},
            "usd_per_million_messages": {
                name: dict(zip(self.columns, amounts, strict=True)) for name, amounts in self.rows
            },
        }

    def show(self, console: Console) -> None:
        """Print it for people."""
        table = Table(box=None, pad_edge=False)
        table.add_column(f"USD for a million messages of {self.job_seconds:g} s")
        for column in self.columns:
            table.add_column(column, justify="right")
        for name, amounts in self.rows:
            table.add_row(name, *(f"{amount:,.2f}" for amount in amounts))
        console.print(table)
        console.print(
            f"busy tasks of {_SIZE.vcpu:g} vCPU and {_SIZE.memory_gib:g} GiB with public addresses; "
            f"prices of {self.prices.region}, {self.prices.as_of}, without free tiers"
        )


def costs_table(job_seconds: float, task_start_seconds: float, prices: Prices) -> CostsTable:
    """Compute it for the smallest Fargate task."""
    kinds = [(f"PROCESS, workers={workers}", Isolation.PROCESS, workers) for workers in _WORKERS]
    kinds.append(("TASK", Isolation.TASK, 1))
    rows = [
        (
            name,
            [
                million_messages(
                    isolation,
                    dataclasses.replace(_SIZE, arm=arm),
                    job_seconds,
                    prices,
                    workers=workers,
                    spot=spot,
                    start=task_start_seconds,
                )
                for _, arm, spot in _CAPACITIES
            ],
        )
        for name, isolation, workers in kinds
    ]
    return CostsTable(job_seconds, [name for name, _, _ in _CAPACITIES], rows, prices)
