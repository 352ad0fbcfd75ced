"""Which exit codes of a worker mean more than failed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from watchbot.contract import ExitCode, Outcome
from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.problems import whole_problems


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExitCodes:
    """The exit codes by which a worker rejects, puts off or dead-letters its message, 1 to 255; None switches one off.

    Every other code means failed, and 0 always succeeded. Common programs use 3, 4 and 5 for their own ends: where
    one of those is the worker, choose others.
    """

    reject: float | None = ExitCode.REJECTED.value
    noop: float | None = ExitCode.NO_OP.value
    dead_letter: float | None = ExitCode.DEAD_LETTERED.value

    def by_outcome(self) -> tuple[tuple[str, float], ...]:
        """Give the outcomes that have a code, with it."""
        codes = ((Outcome.REJECTED, self.reject), (Outcome.NO_OP, self.noop), (Outcome.DEAD_LETTERED, self.dead_letter))
        return tuple((outcome, code) for outcome, code in codes if code is not None)


def exit_code_problems(codes: ExitCodes) -> Iterable[str]:
    """Say which codes no program can exit with, and which mean two things."""
    if codes == ExitCodes():
        return
    given = [(name, code) for name, code in dataclasses.asdict(codes).items() if code is not None]
    problems = [one for name, code in given for one in whole_problems(f"exit_codes {name}", code, 1, 255)]
    yield from problems
    if problems:
        return
    known = [code for _, code in given if not is_deploy_time(code)]
    if len(set(known)) < len(known):
        yield f"exit_codes must be different codes, got {', '.join(f'{name} {code!r}' for name, code in given)}"
