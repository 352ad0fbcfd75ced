"""Application Auto Scaling: how many tasks there shall be, within limits and cooldowns."""

from __future__ import annotations


class ScalableTarget:
    """The desired number of tasks, and when it may change.

    During a cooldown a larger scale-out passes at once and scale-in is blocked; a scale-out ends the cooldown of a
    scale-in. While a deployment is in progress there is no scale-in at all.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html
    That of a scale-out is counted from when it is complete:
    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepScalingPolicyConfiguration.html
    """

    def __init__(self, minimum: int, maximum: int, *, scales_out: bool = True, scales_in: bool = True) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.desired = minimum
        self._scales_out = scales_out
        self._scales_in = scales_in
        self._granted_at = 0.0
        self._cooldown_until = 0.0
        self._cooling_from: int | None = None

    def base(self, now: float, running: int) -> int:
        """Give the number from which a policy computes: those that run, not those desired (the same page).

        During the cooldown of a scale-out it is the number from before it: what was added counts as part of the next.
        """
        cooling = now < self._cooldown_until and self._cooling_from is not None
        return self._cooling_from if cooling and self._cooling_from is not None else running

    def ask(self, now: float, wanted: int, cooldown_seconds: float, *, before: int, deploying: bool) -> bool:
        """Ask for a number of tasks, computed from ``before``; say whether it is granted, clamped to the limits."""
        wanted = max(self.minimum, min(self.maximum, wanted))
        if wanted == self.desired or not (self._scales_out if wanted > self.desired else self._scales_in):
            return False
        if wanted < self.desired and (deploying or now < self._cooldown_until):
            return False
        self._cooling_from = before if wanted > self.desired else None
        self._granted_at = now
        self._cooldown_until = now + cooldown_seconds
        self.desired = wanted
        return True

    def complete(self, now: float, at: float) -> None:
        """Hear when all tasks will run of a scale-out, if one has just been granted."""
        if self._cooling_from is not None and now == self._granted_at:
            self._cooldown_until += max(0.0, at - now)

    def limit(self, minimum: int, maximum: int) -> None:
        """Set other limits, as a scheduled action does; outside of them the number changes at once.

        https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html
        """
        self.minimum, self.maximum = minimum, maximum
        self.desired = max(minimum, min(maximum, self.desired))
