"""A fresh database for each test, copied from one that was migrated once, on SQLite and on PostgreSQL."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import pg8000.native
import pytest

from millrace import migrations
from millrace.bindings.database import Database, Dialect
from millrace.bindings.postgres import PostgresDatabase
from millrace.bindings.sqlite import SqliteDatabase
from tests.factories import NOW

BOTH = ["sqlite", "postgres"]
MIGRATIONS = Path(__file__).parent.parent / "migrations"
ROLES = ("millrace_api", "millrace_engine")

# For a test that is about one of the two.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)


@dataclass
class FreshDatabase:
    """One test's own database. `url` is its owner's, as migrations want it."""

    dialect: Dialect
    url: str
    _opened: list[Database] = field(default_factory=list, repr=False)

    def open(self, *, role: str | None = "millrace_engine") -> Database:
        """Open it as a role, or with None as its owner, whom no policy binds. It is closed with the test."""
        opened: Database
        if self.dialect == "sqlite":
            opened = SqliteDatabase(urlsplit(self.url).path)
        else:
            opened = PostgresDatabase(self.url, user=role)
        self._opened.append(opened)
        return opened

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()


class Databases(ABC):
    """Where the fresh databases of one dialect come from."""

    dialect: Dialect

    @contextmanager
    def fresh(self, *, migrated: bool = True) -> Iterator[FreshDatabase]:
        name = new_name()
        database = FreshDatabase(self.dialect, self._url(name))
        self._create(name, template=self._template if migrated else None)
        try:
            yield database
        finally:
            database.close()
            self._drop(name)

    @cached_property
    def _template(self) -> str:
        name = new_name()
        self._create(name, template=None)
        self._migrate(name)
        return name

    def _migrate(self, name: str) -> None:
        migrations.up(self._url(name), folder=MIGRATIONS, now=NOW)

    @abstractmethod
    def _url(self, name: str) -> str: ...

    @abstractmethod
    def _create(self, name: str, *, template: str | None) -> None: ...

    @abstractmethod
    def _drop(self, name: str) -> None: ...


def databases_of(request: pytest.FixtureRequest) -> Databases:
    """Asked for by name, so that a run without PostgreSQL in it starts no server."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    return databases


def new_name() -> str:
    return f"millrace_test_{uuid4().hex}"


class SqliteDatabases(Databases):
    """Files in a folder."""

    dialect = "sqlite"

    def __init__(self, folder: Path):
        self._folder = folder

    def _url(self, name: str) -> str:
        return f"sqlite://{self._folder / name}.db"

    def _create(self, name: str, *, template: str | None) -> None:
        if template:
            shutil.copyfile(self._folder / f"{template}.db", self._folder / f"{name}.db")

    def _drop(self, name: str) -> None:
        for file in self._folder.glob(f"{name}.db*"):
            file.unlink()


class PostgresDatabases(Databases):
    """Databases of one server."""

    dialect = "postgres"

    def __init__(self, server_url: str):
        self._server = urlsplit(server_url)
        self._leaving: list[str] = []
        self._password = unquote(self._server.password or "")
        self._connection = pg8000.native.Connection(
            unquote(self._server.username or "postgres"),
            password=self._password or None,
            host=self._server.hostname or "127.0.0.1",
            port=self._server.port or 5432,
            database=self._server.path.lstrip("/") or "postgres",
        )

    def close(self) -> None:
        """Leaves nothing of ours on the server but the two roles."""
        if "_template" in vars(self):
            self._drop(self._template)
        self._drop_all_but(0)
        self._connection.close()

    def _url(self, name: str) -> str:
        return self._server._replace(path=f"/{name}").geturl()

    def _migrate(self, name: str) -> None:
        super()._migrate(name)
        # A server that asks for passwords gets the owner's for the roles too, as the url then says.
        if self._password:
            for role in ROLES:
                self._connection.run(f"ALTER ROLE {role} PASSWORD {pg8000.native.literal(self._password)}")

    def _create(self, name: str, *, template: str | None) -> None:
        # By copying its files: through the write-ahead log it takes half as long again.
        self._connection.run(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'} STRATEGY FILE_COPY")

    def _drop(self, name: str) -> None:
        # A connection closed a moment ago is still ending, and PostgreSQL would wait 100 ms for it.
        self._leaving.append(name)
        self._drop_all_but(2)

    def _drop_all_but(self, most: int) -> None:
        while len(self._leaving) > most:
            self._connection.run(f"DROP DATABASE {self._leaving.pop(0)} WITH (FORCE)")
