"""What a migration is applied to: the face of both kinds of database, and opening one by its url."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypedDict, Unpack
from urllib.parse import unquote, urlsplit

from millrace.bindings.database import Dialect
from millrace.bindings.postgres import Password
from millrace.errors import MigrationInvalid

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

    def scratch(self) -> AbstractContextManager["Target"]:
        """An empty database of the same kind to build a schema in. It is gone afterwards."""
        ...

    def close(self) -> None: ...


@contextmanager
def opened(database_url: str, *, for_reading: bool = False, **login: Unpack[Login]) -> Iterator[Target]:
    """`for_reading` makes no file where there is none: the database then looks empty."""
    target = open_target(database_url, for_reading=for_reading, **login)
    try:
        yield target
    finally:
        target.close()


def open_target(database_url: str, *, for_reading: bool = False, **login: Unpack[Login]) -> Target:
    parts = urlsplit(database_url)
    if parts.scheme == "sqlite":
        from millrace.migrations.on_sqlite import SqliteTarget

        return SqliteTarget(unquote(parts.path), for_reading=for_reading)
    if parts.scheme in ("postgresql", "postgres"):
        from millrace.migrations.on_postgres import PostgresTarget

        return PostgresTarget(database_url, **login)
    raise MigrationInvalid(f"the database url begins with sqlite:// or postgresql://, not {parts.scheme}://")


def say_nothing(_: str) -> None:
    """For a caller that wants no report."""
