"""An answer held until there is something new to tell, for callers who would else ask again and again."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from millrace.entry.request import Request
from millrace.env import Env

Seen = TypeVar("Seen")

EVERY_SECONDS = 1
# Kept for what follows the last read: to write the answer and hand it over.
ANSWERING_SECONDS = 2


def hold(
    read: Callable[[], Seen], *, state_of: Callable[[Seen], object], seconds: int, request: Request, env: Env
) -> Seen:
    """What is read once its state has changed, or when the time is up. One read a second.

    `state_of` answers None when nothing will change any more.
    """
    until = env.now() + timedelta(seconds=min(seconds, env.config.max_wait_seconds))
    # Each read may take as long as the database is given.
    enough_seconds = EVERY_SECONDS + env.config.database_seconds + ANSWERING_SECONDS
    seen = read()
    state = first = state_of(seen)
    while state is not None and state == first:
        seconds_left = (until - env.now()).total_seconds()
        if seconds_left <= 0 or request.remaining_seconds() < enough_seconds:
            break
        env.wait(min(EVERY_SECONDS, seconds_left))
        seen = read()
        state = state_of(seen)
    return seen
