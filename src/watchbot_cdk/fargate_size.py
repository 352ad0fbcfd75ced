"""Which combinations of CPU and memory Fargate has."""

from __future__ import annotations

from watchbot_cdk.deploy_time import is_deploy_time

_MEMORY_MIB: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16_384 + 1, 1024)),
    4096: tuple(range(8192, 30_720 + 1, 1024)),
    8192: tuple(range(16_384, 61_440 + 1, 4096)),
    16_384: tuple(range(32_768, 122_880 + 1, 8192)),
    32_768: (61_440, 122_880, 249_856),
}
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size."""


def fargate_size_problem(cpu: float, memory_limit_mib: float) -> str | None:
    """Say what is wrong with this size of a task; None when it is one of Fargate's, or not known before deployment."""
    if is_deploy_time(cpu):
        return None
    if not isinstance(cpu, int | float) or cpu not in _MEMORY_MIB:
        return f"cpu must be one of {', '.join(map(str, _MEMORY_MIB))} on Fargate (1024 is a vCPU), got {cpu!r}"
    if is_deploy_time(memory_limit_mib):
        return None
    allowed = _MEMORY_MIB[int(cpu)]
    if isinstance(memory_limit_mib, int | float) and memory_limit_mib in allowed:
        return None
    step = allowed[1] - allowed[0]
    shown = ", ".join(map(str, allowed)) if len(allowed) <= 4 else f"{allowed[0]} to {allowed[-1]} in steps of {step}"
    return f"memory_limit_mib must be {shown} with cpu {cpu:g} on Fargate, got {memory_limit_mib!r}"
