"""A clock that stands still until a test moves it."""

from datetime import datetime, timedelta


class Clock:
    """Give `clock.now` to whatever asks the time."""

    def __init__(self, at: datetime):
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, **span: float) -> datetime:
        """`clock.advance(minutes=5)`"""
        self.at += timedelta(**span)
        return self.at
