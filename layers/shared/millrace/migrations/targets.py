"""What a migration is applied to: the face of both kinds of database."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypedDict

from millrace.bindings.database import Dialect
from millrace.bindings.postgres import Password

# A thing of the schema by kind and name ("column leads.email"), and what it is ("TEXT NOT NULL").
Schema = dict[str, str]
Report = Callable[[str], None]


class Login(TypedDict, total=False):
    """How to log in to a server, where its url does not say so."""

    user: str | None
    password: Password
    tls: str | None


class Target(Protocol):
    """A database being migrated."""

    @property
    def dialect(self) -> Dialect: ...

    def lock(self, report: Report) -> AbstractContextManager[None]:
        """One runner at a time: a second one waits here, and `report` hears that it does."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing. Nobody else writes the history meanwhile."""
        ...

    def execute(self, sql: str) -> list[Any]:
        """Run one statement. StatementInvalid says what the database had against it."""
        ...

    def columns_of(self, table: str) -> list[str]:
        """None when there is no such table."""
        ...

    def read_schema(self) -> Schema:
        """All there is but the history's own tables, and what extensions brought."""
        ...

    def list_unbound_roles(self) -> list[str]:
        """Roles that the policies name and do not bind, a line for each."""
        ...

    def list_dangling(self) -> list[str]:
        """Rows that point at nothing, a line for each kind of them."""
        ...

    def scratch(self) -> AbstractContextManager["Target"]:
        """An empty database of the same kind to build a schema in. It is gone afterwards."""
        ...

    def close(self) -> None: ...


def say_nothing(_: str) -> None:
    """For a caller that wants no report."""
