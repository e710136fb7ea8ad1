"""Opening a database to be migrated, by its url."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Unpack
from urllib.parse import urlsplit

from millrace.errors import MigrationInvalid
from millrace.migrations.backups import path_of
from millrace.migrations.on_postgres import PostgresTarget
from millrace.migrations.on_sqlite import SqliteTarget
from millrace.migrations.targets import Login, Target


@contextmanager
def opened(database_url: str, *, for_reading: bool = False, **login: Unpack[Login]) -> Iterator[Target]:
    """`for_reading` makes no file where there is none: the database then looks empty."""
    target = open_target(database_url, for_reading=for_reading, **login)
    try:
        yield target
    finally:
        target.close()


def open_target(database_url: str, *, for_reading: bool = False, **login: Unpack[Login]) -> Target:
    scheme = urlsplit(database_url).scheme
    if scheme == "sqlite":
        return SqliteTarget(str(path_of(database_url)), for_reading=for_reading)
    if scheme in ("postgresql", "postgres"):
        return PostgresTarget(database_url, **login)
    raise MigrationInvalid(f"the database url begins with sqlite:// or postgresql://, not {scheme}://")
