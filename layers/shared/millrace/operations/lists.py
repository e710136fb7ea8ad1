"""What operators read page by page, the newest first."""

from collections.abc import Mapping, Sequence
from typing import Any

from millrace.domain.pages import MOST, Page
from millrace.operations.jobs import to_facts


def ask_for(*listed: str | None, limit: int, cursor: str | None) -> Page:
    """The page of this list, and no longer than one may be. InvalidRequest for a strange cursor."""
    return Page.of(*listed, limit=max(1, min(limit, MOST)), cursor=cursor)


def show(name: str, rows: Sequence[Mapping[str, Any]], *, page: Page) -> dict[str, Any]:
    """The page under this name, and where the next one begins, if there is one."""
    shown, next_cursor = page.cut(rows, at="created_at")
    return {name: [to_facts(row) for row in shown], "next_cursor": next_cursor}
