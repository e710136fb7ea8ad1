"""How often an operation may be asked for: RunPod's documented limits for each endpoint."""

import threading
from collections import deque

from local.runpod.jobs import Clock

WINDOW_SECONDS = 10
IN_A_WINDOW = {"run": 1000, "status": 2000, "cancel": 100, "purge-queue": 2}


class RateLimit:
    """`allows` counts the request it is asked about, if it allows it."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._times: dict[str, deque[float]] = {name: deque() for name in IN_A_WINDOW}
        self._counting = threading.Lock()

    def allows(self, operation: str) -> bool:
        if operation not in IN_A_WINDOW:
            return True
        with self._counting:
            times, now = self._times[operation], self._clock()
            while times and times[0] <= now - WINDOW_SECONDS:
                times.popleft()
            if len(times) >= IN_A_WINDOW[operation]:
                return False
            times.append(now)
            return True
