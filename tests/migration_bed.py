"""Folders of small migrations, and looking into a database that they were applied to."""

import shutil
from pathlib import Path

from millrace import migrations
from millrace.bindings.database import Dialect
from millrace.migrations.files import Migration, read_folder
from millrace.migrations.opening import opened
from millrace.migrations.targets import Schema
from tests.databases import MIGRATIONS, FreshDatabase
from tests.factories import NOW

BEDS = ("CREATE TABLE beds (id TEXT PRIMARY KEY);", "DROP TABLE beds;")
CHAIRS = ("CREATE TABLE chairs (id TEXT PRIMARY KEY);", "DROP TABLE chairs;")
LAMPS = ("CREATE TABLE lamps (id TEXT PRIMARY KEY);", "DROP TABLE lamps;")


class Folder:
    """A folder of migrations, and the database they are for."""

    def __init__(self, path: Path, database: FreshDatabase):
        self.path = path
        self.database = database

    def write(self, name: str, up: str, down: str, *, place: str = ".", option: str = "") -> Path:
        path = self.path / place / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"-- migrate:up{option}\n\n{up}\n\n-- migrate:down{option}\n\n{down}\n")
        return path

    def up(self, **more) -> list[str]:
        return migrations.up(self.database.url, folder=self.path, now=NOW, **more)

    def down(self, count: int = 1, **more) -> list[str]:
        return migrations.down(self.database.url, folder=self.path, count=count, **more)

    def status(self) -> migrations.Status:
        return migrations.status(self.database.url, folder=self.path)

    def verify(self) -> list[str]:
        return migrations.verify(self.database.url, folder=self.path)

    def schema(self) -> Schema:
        return migrations.read_schema(self.database.url)

    def tables(self) -> list[str]:
        return sorted(thing.removeprefix("table ") for thing in self.schema() if thing.startswith("table "))

    def execute(self, *statements: str) -> list[list]:
        """As the owner, each on its own."""
        with opened(self.database.url) as target:
            return [target.execute(statement) for statement in statements][-1]


def real_files(dialect: Dialect) -> list[Migration]:
    return read_folder(MIGRATIONS, dialect=dialect)


def copy_file(name: str, *, into: Path) -> None:
    """One of the real migrations."""
    source = next(MIGRATIONS.rglob(name))
    target = into / source.relative_to(MIGRATIONS)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
