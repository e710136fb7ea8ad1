"""Lists are read page by page, newest first: how long a page is, and where the next one begins."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from millrace.errors import InvalidRequest

MOST, USUAL = 100, 20
MARK_LENGTH = 12


def mark_of(*listed: str | None) -> str:
    """By this a list knows its own cursors. Nobody is kept from forging it: there is nothing to gain."""
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:MARK_LENGTH]


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of a list, by the time it is sorted by and, among those of one moment, by its id."""

    at: datetime
    id: str

    def cursor(self, mark: str) -> str:
        """For callers, who send it back as it is to the list of this mark."""
        named = f"{mark} {self.at.astimezone(UTC).isoformat()} {self.id}"
        return base64.urlsafe_b64encode(named.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` entries of the list of this `mark`, those older than `after`. None: the newest."""

    limit: int = USUAL
    after: Place | None = None
    mark: str = mark_of()

    @classmethod
    def of(cls, *listed: str | None, limit: int = USUAL, cursor: str | None = None) -> Self:
        """What was asked for. InvalidRequest when the cursor is none of ours, or another list's.

        `listed` says which list it is: its name, whose it is, and what it was narrowed to.
        """
        mark = mark_of(*listed)
        return cls(limit, None if cursor is None else read_place(cursor, mark=mark), mark)

    def cut(
        self, rows: Sequence[Mapping[str, Any]], *, at: str
    ) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """The page's rows, and the cursor of the next page if a further row says that there is one.

        `at` names the column that the rows are sorted by, before their `id`.
        """
        if len(rows) <= self.limit:
            return rows, None
        shown = rows[: self.limit]
        return shown, Place(shown[-1][at], shown[-1]["id"]).cursor(self.mark)


def read_place(cursor: str, *, mark: str) -> Place:
    """Only what we would have written ourselves is taken, so that nothing odd comes to the database."""
    found, place = decode(cursor)
    if place is None or not place.id.isprintable() or place.cursor(found) != cursor:
        raise refusal("is not one that a list has given")
    if found != mark:
        raise refusal("is of another list, or of this one with other filters")
    return place


def refusal(rule: str) -> InvalidRequest:
    return InvalidRequest(f"cursor {rule}.", fields=[{"field": "cursor", "message": rule}])


def decode(cursor: str) -> tuple[str, Place | None]:
    try:
        named = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        mark, _, place = named.partition(" ")
        at, _, entry_id = place.partition(" ")
        return mark, Place(datetime.fromisoformat(at).astimezone(UTC), entry_id)
    except (ValueError, OverflowError):
        return "", None
