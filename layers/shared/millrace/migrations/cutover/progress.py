"""What a person sees while it lasts: a bar on a terminal, now and then a line in a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TextIO

BAR = 24
# Looking at the clock costs more than counting.
ROWS_BETWEEN_LOOKS = 500
LIVE_SECONDS = 0.1
LOG_SECONDS = 10.0


class Progress:
    """Rows done of rows to do, rows per second and time left, one table at a time."""

    def __init__(self, stream: TextIO, *, now: Callable[[], datetime]):
        self._stream = stream
        self._now = now
        self._live = stream.isatty()

    @contextmanager
    def of(self, doing: str, *, total: int) -> Iterator[Callable[[int], None]]:
        """Tell the function that is given how many rows more are done. A table without rows says nothing."""
        step = Step(doing, total=total, began=self._now())
        seen, said = 0, step.began

        def advance(rows: int) -> None:
            nonlocal seen, said
            step.done += rows
            if step.done - seen < ROWS_BETWEEN_LOOKS:
                return
            seen, now = step.done, self._now()
            if (now - said).total_seconds() >= (LIVE_SECONDS if self._live else LOG_SECONDS):
                said = now
                self._say(step.describe(now), last=False)

        yield advance
        if total or step.done:
            # What was expected may have been more or less.
            step.total = step.done
            self._say(step.describe(self._now()), last=True)

    def _say(self, text: str, *, last: bool) -> None:
        if self._live:
            # Back to the line's beginning, and clear what was longer.
            self._stream.write(f"\r{text}\x1b[K" + ("\n" if last else ""))
        else:
            self._stream.write(f"{text}\n")
        self._stream.flush()


class Step:
    """How far one table is."""

    def __init__(self, doing: str, *, total: int, began: datetime):
        self.doing = doing
        self.total = total
        self.began = began
        self.done = 0

    def describe(self, now: datetime) -> str:
        seconds = max((now - self.began).total_seconds(), 1e-3)
        share = min(self.done / self.total, 1.0) if self.total else 1.0
        bar = ("#" * round(share * BAR)).ljust(BAR, ".")
        rate = self.done / seconds
        left = f"{(self.total - self.done) / rate:.0f} s left" if 0 < self.done < self.total else ""
        return (
            f"{self.doing:<32} [{bar}] {share:4.0%}  {self.done:,} of {self.total:,} rows"
            f"  {rate:,.0f}/s  {left}"
        ).rstrip()
