"""What CloudFormation does with a stack, in a sentence, and which acts it leaves sense to."""

from __future__ import annotations

import dataclasses
import re

from watchbot_cli.errors import CommandError

_WELL = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "")

_SENTENCES = (
    ("DELETE_COMPLETE", "is deleted"),
    ("DELETE_IN_PROGRESS", "is being deleted"),
    ("DELETE_FAILED", "is deleted in part: its deletion has failed, and it can only be deleted again"),
    ("REVIEW_IN_PROGRESS", "is not created yet: a change set waits to be executed"),
    ("CREATE_IN_PROGRESS", "is still being created: try again when it is complete"),
    ("CREATE_FAILED|ROLLBACK_FAILED|ROLLBACK_COMPLETE", "was never created: its creation has failed"),
    ("ROLLBACK_IN_PROGRESS", "is not created: its creation has failed, and is being rolled back"),
    ("IMPORT_ROLLBACK_FAILED", "is between two versions: an import has failed, and so has its rollback"),
    ("UPDATE_ROLLBACK_FAILED", "is between two versions: an update has failed, and so has its rollback"),
    ("UPDATE_FAILED", "is between two versions: an update has failed"),
    ("UPDATE_ROLLBACK(_COMPLETE_CLEANUP)?_IN_PROGRESS", "is being rolled back: an update has failed"),
    ("UPDATE_ROLLBACK_COMPLETE", "was rolled back: its last update has failed"),
    ("IMPORT_ROLLBACK_COMPLETE", "was rolled back: its last import has failed"),
    (".*_IN_PROGRESS", "is being updated"),
    (".*_FAILED", "has failed"),
)
"""The first that fits a status: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html"""

_NOT_THERE = re.compile("DELETE_COMPLETE|REVIEW_IN_PROGRESS|CREATE_IN_PROGRESS|CREATE_FAILED|ROLLBACK_.*")
_STABLE = re.compile(".*_ROLLBACK_COMPLETE")


@dataclasses.dataclass(frozen=True, slots=True)
class StackState:
    """The status of a stack, as DescribeStacks has it."""

    name: str
    status: str

    @property
    def told(self) -> str | None:
        """The sentence about a stack that is not well, without its name; None for one that is."""
        if self.status in _WELL:
            return None
        sentence = next((text for pattern, text in _SENTENCES if re.fullmatch(pattern, self.status)), "is not well")
        return f"{sentence} ({self.status})"

    @property
    def warning(self) -> str | None:
        """What a command says that acts on the stack all the same; a rollback that has ended is history."""
        return None if self.told is None or _STABLE.fullmatch(self.status) else f"stack {self.name} {self.told}"

    @property
    def is_going(self) -> bool:
        """Whether the stack is on its way out: what is sent to it, or changed in it, is lost."""
        return self.status.startswith("DELETE_")

    def check_there(self) -> None:
        """Raise :class:`CommandError` when there is no service (yet): CloudFormation gives no outputs then."""
        if _NOT_THERE.fullmatch(self.status):
            raise CommandError(f"stack {self.name} {self.told}")

    def check_stays(self, what: str) -> None:
        """Raise :class:`CommandError` when the stack is on its way out; ``what`` would then be lost."""
        if self.is_going:
            raise CommandError(f"stack {self.name} {self.told}: {what}, and nothing was done")
