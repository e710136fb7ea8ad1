"""Time that passes, also while the machine is suspended: a frozen function's connections grow old too."""

import math
import time

# Differs: macOS has no such clock, and its monotonic one goes on during sleep.
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds() -> float:
    """Since a moment that is the same as long as the machine runs."""
    return time.clock_gettime(CLOCK)


class Deadline:
    """One end for all that is waited for on the way. Without seconds there is none."""

    def __init__(self, within_seconds: float | None):
        self._ends_at = math.inf if within_seconds is None else seconds() + within_seconds

    @property
    def is_over(self) -> bool:
        return seconds() >= self._ends_at

    def left(self, *, most: float = math.inf) -> float | None:
        """Seconds, as a socket wants them: None for ever. TimeoutError when none is left."""
        left = min(self._ends_at - seconds(), most)
        if left <= 0:
            raise TimeoutError("the time is over")
        return None if left == math.inf else left
