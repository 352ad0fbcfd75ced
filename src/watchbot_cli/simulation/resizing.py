"""A service as it would be with other limits, or more workers in a task."""

from __future__ import annotations

import dataclasses

from watchbot_cli.errors import UsageError
from watchbot_cli.simulation.peers import watchbot_ladder
from watchbot_cli.simulation.setting import Setting
from watchbot_cli.simulation.step_scaling import EXACT


def resized(changed: Setting, template: Setting) -> Setting:
    """Give the changed service the steps that go with its limits and workers, as its template's went with those.

    Raises :class:`UsageError` where they are exact numbers of another kind, for which nobody here knows others, and
    where there are none that would move between two limits.
    """
    if changed == template:
        return template
    if not template.steps and not template.tracking and changed.minimum != changed.maximum:
        raise UsageError(
            f"{template.name} always has {template.minimum} tasks, as it has no policies: "
            f"give --min and --max the same number, got {changed.minimum} and {changed.maximum}"
        )
    if [one.policy for one in template.steps] == [one.policy for one in watchbot_ladder(template).steps]:
        steps = zip(template.steps, watchbot_ladder(changed).steps, strict=True)
        return dataclasses.replace(
            changed, steps=tuple(dataclasses.replace(one, policy=other.policy) for one, other in steps)
        )
    if any(one.policy.adjustment_type == EXACT for one in template.steps):
        raise UsageError(
            f"--min, --max and --workers cannot be applied to {template.name}, whose steps are not those of "
            "Scaling(min=…, max=…): synthesise it with them, and give that template"
        )
    return changed
