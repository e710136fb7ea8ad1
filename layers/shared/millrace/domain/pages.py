"""Lists are read page by page, newest first: how long a page is, and where the next one begins."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from millrace.errors import InvalidRequest

MOST, USUAL = 100, 20


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of a list, by the time it is sorted by and, among those of one moment, by its id."""

    at: datetime
    id: str

    @property
    def cursor(self) -> str:
        """For callers, who send it back as it is."""
        named = f"{self.at.astimezone(UTC).isoformat()} {self.id}"
        return base64.urlsafe_b64encode(named.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` entries, those older than `after`. None: the newest."""

    limit: int = USUAL
    after: Place | None = None

    @classmethod
    def of(cls, *, limit: int, cursor: str | None) -> Self:
        """What was asked for. InvalidRequest when the cursor is none of ours."""
        return cls(limit, None if cursor is None else read_place(cursor))

    def cut(
        self, rows: Sequence[Mapping[str, Any]], *, at: str
    ) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """The page's rows, and the cursor of the next page if a further row says that there is one.

        `at` names the column that the rows are sorted by, before their `id`.
        """
        if len(rows) <= self.limit:
            return rows, None
        shown = rows[: self.limit]
        return shown, Place(shown[-1][at], shown[-1]["id"]).cursor


def read_place(cursor: str) -> Place:
    """Only what we would have written ourselves is taken, so that nothing odd comes to the database."""
    place = decode(cursor)
    if place is None or not place.id.isprintable() or place.cursor != cursor:
        rule = "is not one that a list has given"
        raise InvalidRequest(f"cursor {rule}.", fields=[{"field": "cursor", "message": rule}])
    return place


def decode(cursor: str) -> Place | None:
    try:
        named = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        at, _, entry_id = named.partition(" ")
        return Place(datetime.fromisoformat(at).astimezone(UTC), entry_id)
    except (ValueError, OverflowError):
        return None
