"""How many watchers a service wants and which of its scaling is suspended, as a tag's value keeps it."""

from __future__ import annotations

import dataclasses
import re

from watchbot_cli.errors import CommandError

SCALING = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
"""https://docs.aws.amazon.com/autoscaling/application/APIReference/API_SuspendedState.html"""


@dataclasses.dataclass(frozen=True, slots=True)
class Capacity:
    """What a pause changes; ``suspended`` is in the order of :data:`SCALING`, and None where nothing scales."""

    desired: int
    suspended: tuple[bool, ...] | None

    def to_tag(self) -> str:
        """Write it with the characters that a tag's value may have: JSON's are not among them.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html
        """
        flags = "none" if self.suspended is None else "".join(str(int(flag)) for flag in self.suspended)
        return f"desired={self.desired} suspended={flags}"

    @classmethod
    def from_tag(cls, text: str) -> Capacity:
        """Read it back; raises :class:`CommandError` when somebody else wrote the tag."""
        found = re.fullmatch(r"desired=(\d{1,9}) suspended=(none|[01]{3})", text)
        if found is None:
            raise CommandError(
                f"the service's tag of a pause is {text!r}, not like 'desired=2 suspended=000': correct or remove it"
            )
        suspended = None if found[2] == "none" else tuple(flag == "1" for flag in found[2])
        return cls(int(found[1]), suspended)
