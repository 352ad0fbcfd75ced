"""Callers of simulated services: their calls are made one at a time, in the order and with the faults of a test."""

from __future__ import annotations

import contextlib
import enum
import threading
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError


class Fault(enum.Enum):
    """What happens to a call that waits to be made."""

    NONE = "it is answered"
    THROTTLED = "it is refused"
    LOST = "it is made, and no answer comes"
    REPEATED = "it is made, no answer comes, and the client makes it again"
    KILLED = "its caller dies before it is made"


class _Death(BaseException):
    pass


class Caller(threading.Thread):
    """Runs a function until it is about to make a call, and from there when :meth:`step` says so."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.answer: Any = None
        self.error: Exception | None = None
        self.dead = False
        self.waits_for = ""
        """The call that waits to be made."""
        self._work = work
        self._fault = Fault.NONE
        self._may_go = threading.Semaphore(0)
        self._has_stopped = threading.Semaphore(0)
        self.start()
        self._has_stopped.acquire()

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to step."""
        return self.dead or self.answer is not None or self.error is not None

    def run(self) -> None:
        try:
            self.answer = self._work()
        except _Death:
            self.dead = True
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            self.error = error
        self._has_stopped.release()

    def step(self, fault: Fault) -> None:
        """Make the call that waits, and go on until the next or the end."""
        self._fault = fault
        self._may_go.release()
        self._has_stopped.acquire()

    def wait_for_step(self, operation: str) -> Fault:
        self.waits_for = operation
        self._has_stopped.release()
        self._may_go.acquire()
        return self._fault


class Stepped:
    """A client as callers see it; calls from other threads are made at once."""

    def __init__(self, client: object) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        make = getattr(self._client, operation)

        def call(**fields: Any) -> Any:
            caller = threading.current_thread()
            fault = caller.wait_for_step(operation) if isinstance(caller, Caller) else Fault.NONE
            if fault is Fault.KILLED:
                raise _Death
            if fault is Fault.THROTTLED:
                raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, operation)
            if fault in (Fault.LOST, Fault.REPEATED):
                _unheard(make, fields)
            if fault is Fault.LOST:
                raise ReadTimeoutError(endpoint_url="https://service")
            return make(**fields)

        return call


def kill(callers: Iterable[Caller]) -> None:
    """Let no caller wait for ever."""
    for caller in list(callers):
        while not caller.ended:
            caller.step(Fault.KILLED)


def _unheard(make: Callable[..., Any], fields: dict[str, Any]) -> None:
    with contextlib.suppress(ClientError):
        make(**fields)
