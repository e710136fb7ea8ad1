"""A database that remembers what it was asked, so that round trips are counted and plans can be read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from millrace.bindings.database import Database, Result, Statement


class Counted:
    """`batches` holds every round trip, each with its statements."""

    def __init__(self, db: Database, *, batches: list[list[Statement]] | None = None):
        self._db = db
        self.batches: list[list[Statement]] = [] if batches is None else batches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def prepare(self, sql: str) -> Statement:
        return replace(self._db.prepare(sql), executor=self)

    def for_tenant(self, tenant_id: str) -> Self:
        return type(self)(self._db.for_tenant(tenant_id), batches=self.batches)

    def batch(self, statements: Sequence[Statement]) -> list[Result]:
        self.batches.append(list(statements))
        return self._db.batch(statements)


def plan_of(db: Database, statement: Statement) -> str:
    """How the database would run it."""
    word = "EXPLAIN" if db.dialect == "postgres" else "EXPLAIN QUERY PLAN"
    lines = db.prepare(f"{word} {statement.sql}").bind(*statement.values).raw()
    return "\n".join(str(line) for line in lines)
