"""Where a service is, as a question before an act says it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A service, its stack, Region and account, and the profile of the credentials if one was named."""

    service: str
    stack: str
    region: str
    account: str | None
    profile: str | None

    def __str__(self) -> str:
        """Say it: ``Maps/thumbs in us-east-1 of account 123456789012 (ops)``.

        A construct's path mostly begins with its stack's name; where it does not, the stack is said as well.
        """
        stack = "" if self.service.startswith(f"{self.stack}/") else f" of stack {self.stack}"
        profile = "" if self.profile is None else f" ({self.profile})"
        account = "" if self.account is None else f" of account {self.account}"
        return f"{self.service}{stack} in {self.region}{account}{profile}"
