"""Waiting for work that may never end."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Value = TypeVar("Value")


def wait_at_most(seconds: float | None, *, work: Callable[[], Value]) -> Value:
    """Do the work in a thread; return what it returns and raise what it raises, or TimeoutError and leave it
    to its own end.

    Timeouts of sockets would not do: they bound neither a name look-up nor an answer that comes in drips.
    """
    done: Future[Value] = Future()

    def run() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - raised where the result is waited for
            done.set_exception(error)
        else:
            done.set_result(value)

    threading.Thread(target=run, daemon=True).start()
    return done.result(timeout=seconds)
