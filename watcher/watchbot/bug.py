"""The end of exceptions that must not stop anything else: what fails here is reported, and the rest goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_RESTART_FROM_SECONDS = 1.0
_RESTART_TO_SECONDS = 60.0


def report_bug(error: BaseException) -> None:
    """Report an exception to the running loop's exception handler, which also gets those of its own callbacks.

    https://docs.python.org/3/library/asyncio-eventloop.html#error-handling-api
    """
    asyncio.get_running_loop().call_exception_handler({"message": "an exception that ends here", "exception": error})


class contained:  # noqa: N801 - read as a statement: with contained()
    """Context in which an exception is reported and goes no further."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: object) -> bool:
        """Report what was raised, unless it is to end the program."""
        if not isinstance(error, Exception):
            return False
        report_bug(error)
        return True


async def kept_running(run: Callable[[], Awaitable[None]]) -> None:
    """Run what is to go on until cancelled, and begin again, after a pause, whenever an exception has ended it."""
    pause = _RESTART_FROM_SECONDS
    while True:
        began_at = asyncio.get_running_loop().time()
        with contained():
            return await run()
        lasted = asyncio.get_running_loop().time() - began_at
        pause = _RESTART_FROM_SECONDS if lasted > _RESTART_TO_SECONDS else pause
        await asyncio.sleep(pause)
        pause = min(2 * pause, _RESTART_TO_SECONDS)
