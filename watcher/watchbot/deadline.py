"""Deadlines for whole calls: a timeout of a socket begins again with every byte, a deadline does not."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

_current = threading.local()


class CallTimeoutError(Exception):
    """A call had no whole answer when its time was up."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no whole answer within {seconds:g} seconds")


class Deadline:
    """The time that one call has in its thread, and the connection that the call uses.

    The time runs from when the thread begins. With ``most_seconds`` the call may take up to that long, as long as no
    ``seconds`` go by without :func:`progressed`. :meth:`end` shuts the connection down, so that the thread is free at
    once: its read returns as if the other side had closed.
    """

    __slots__ = ("_connection", "_ends_at", "_last_end_at", "_lock", "_most_seconds", "is_over", "seconds")

    def __init__(self, seconds: float, most_seconds: float | None = None) -> None:
        self.seconds = seconds
        self.is_over = False
        self._most_seconds = seconds if most_seconds is None else most_seconds
        self._ends_at: float | None = None
        self._last_end_at = 0.0
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Deadline:
        """Begin, in the thread that makes the call."""
        now = time.monotonic()
        self._last_end_at = now + self._most_seconds
        self._ends_at = now + self.seconds
        _current.deadline = self
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the connection: it may serve another call from now on."""
        _current.deadline = None
        with self._lock:
            self._connection = None

    def left(self) -> float:
        """Return the seconds that are left; all of them while no thread has begun."""
        return self.seconds if self._ends_at is None else self._ends_at - time.monotonic()

    def extend(self) -> None:
        """Grant the time of one call more, because there was progress; raises :class:`CallTimeoutError`."""
        if self.is_over:
            raise CallTimeoutError(self.seconds)
        self._ends_at = min(time.monotonic() + self.seconds, self._last_end_at)

    def use(self, connection: socket.socket) -> None:
        """Remember the connection that the call goes over; raises :class:`CallTimeoutError`."""
        with self._lock:
            self._connection = connection
        if self.is_over:
            self.end()
            raise CallTimeoutError(self.seconds)

    def end(self) -> None:
        """Shut down the connection of a call that is over."""
        self.is_over = True
        with self._lock, contextlib.suppress(OSError):
            if self._connection is not None:
                # Not the method of an SSL socket, which would take the TLS state from under its reader.
                socket.socket.shutdown(self._connection, socket.SHUT_RDWR)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Hold what is called here, in this thread, to a deadline; within a call it is the call's.

    What is called raises :class:`CallTimeoutError`, or fails as if the other side had closed the connection.
    """
    if getattr(_current, "deadline", None) is not None:
        yield
        return
    with Deadline(seconds) as deadline:
        timer = threading.Timer(seconds, deadline.end)
        timer.daemon = True
        with contextlib.suppress(RuntimeError):  # no thread can be started: rather no deadline than no watcher
            timer.start()
        try:
            yield
        finally:
            timer.cancel()


def progressed() -> None:
    """Extend the deadline of this thread's call; raises :class:`CallTimeoutError` when that is over."""
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is not None:
        deadline.extend()


def uses(connection: socket.socket | None) -> None:
    """Tell the deadline of this thread's call, if it has one, which connection the call goes over."""
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is not None and connection is not None:
        deadline.use(connection)


class _Connection(AWSHTTPConnection):
    def connect(self) -> None:
        super().connect()
        uses(self.sock)

    def request(self, *arguments: Any, **options: Any) -> Any:
        uses(self.sock)  # one that was kept from an earlier call
        return super().request(*arguments, **options)


class _TlsConnection(AWSHTTPSConnection):
    def connect(self) -> None:
        super().connect()  # Python holds a handshake as a whole to the connect timeout
        uses(self.sock)

    def request(self, *arguments: Any, **options: Any) -> Any:
        uses(self.sock)
        return super().request(*arguments, **options)


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def hold_to_deadlines(http_session: Any) -> None:
    """Make botocore's HTTP session use connections that a deadline can shut down.

    botocore offers no public way to choose the class of its connections; a proxy's take it from the same mapping.
    """
    http_session._pool_classes_by_scheme.update({"http": _Pool, "https": _TlsPool})  # noqa: SLF001 - as said above
