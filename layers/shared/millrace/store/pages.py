"""One page of a list, newest first, whatever the list is of."""

from millrace.bindings.database import Database, Statement, Value
from millrace.domain.pages import Page


def newest(db: Database, select: str, *values: Value, page: Page, at: str, key: str = "id") -> Statement:
    """The rows of `select` that stand on the page, and one more if there is one.

    `select` ends in its conditions; `at` and `key` are what the rows are sorted by, as it calls them.
    """
    place = len(values) + 1
    after: list[Value] = [page.after.at, page.after.id] if page.after else []
    older = f"AND ({at}, {key}) < (?{place + 1}, ?{place + 2})" if after else ""
    sql = f"{select} {older} ORDER BY {at} DESC, {key} DESC LIMIT ?{place}"
    return db.prepare(sql).bind(*values, page.limit + 1, *after)
