"""Where ECS is to run a task: launch type or capacity provider, network, constraints and strategies."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import Any

from watchbot.contract import Settings


class Placement:
    """Gives the placement fields of RunTask.

    Base and weights of a capacity provider strategy spread the tasks of one request, and we launch one at a time. So
    one provider is drawn for each launch, by weight, and named alone; a provider of weight 0 is used only when the
    others were refused:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html
    """

    def __init__(self, settings: Settings, chance: random.Random) -> None:
        self._settings = settings
        self._chance = chance

    def draw(self, refused: Collection[str]) -> str | None:
        """Draw a capacity provider that was not refused for this message, all again once all were; None without any."""
        providers = self._settings.task_capacity
        left = [provider for provider in providers if provider[0] not in refused] or list(providers)
        if not left:
            return None
        weights = [weight for _, weight in left]
        names = [name for name, _ in left]
        return self._chance.choices(names, weights)[0] if any(weights) else names[0]

    def fields(self, provider: str | None) -> dict[str, Any]:
        """Give RunTask's fields for a launch on this provider."""
        settings = self._settings
        fields: dict[str, Any] = (
            {"launchType": settings.task_launch_type.value.upper()}
            if provider is None
            else {"capacityProviderStrategy": [{"capacityProvider": provider, "weight": 1}]}
        )
        if settings.task_subnets:
            fields["networkConfiguration"] = {
                "awsvpcConfiguration": {
                    "subnets": list(settings.task_subnets),
                    "securityGroups": list(settings.task_security_groups),
                    "assignPublicIp": "ENABLED" if settings.task_public_ip else "DISABLED",
                }
            }
        if settings.task_placement_constraints:
            fields["placementConstraints"] = list(settings.task_placement_constraints)
        if settings.task_placement_strategies:
            fields["placementStrategy"] = list(settings.task_placement_strategies)
        return fields
