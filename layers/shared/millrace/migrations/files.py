"""Migration files in dbmate's format: one text for both databases, and a folder for what only one needs."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from millrace.bindings.database import TOKEN, Dialect, end_of_comment
from millrace.errors import MigrationInvalid

FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
SECTION = re.compile(r"^-- migrate:(up|down)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `version` is its number, as dbmate writes it to schema_migrations."""

    version: str
    path: Path
    up: str
    down: str

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a file, and the line it begins on."""

    sql: str
    line: int


def read_folder(folder: Path, *, dialect: Dialect) -> list[Migration]:
    """The files for this database, in number order."""
    found = [read_file(path) for place in (folder, folder / dialect) for path in sorted(place.glob("*.sql"))]
    found.sort(key=lambda migration: migration.version)
    for earlier, later in pairwise(found):
        if earlier.version == later.version:
            raise MigrationInvalid(f"{earlier.name} and {later.name} have the same number; renumber one")
    return found


def read_file(path: Path) -> Migration:
    named = FILE_NAME.fullmatch(path.name)
    if not named:
        raise MigrationInvalid(f"{path.name}: a migration is called NNNN_what_it_does.sql")
    text = path.read_text(encoding="utf-8")
    marks = list(SECTION.finditer(text))
    if [mark[1] for mark in marks] != ["up", "down"]:
        raise MigrationInvalid(f"{path.name}: it needs a line '-- migrate:up', then one '-- migrate:down'")
    up, down = marks
    # Blank lines stand for what was cut away, so that a statement's line is its line in the file.
    return Migration(
        version=named[1],
        path=path,
        up=_blank(text[: up.end()]) + text[up.end() : down.start()],
        down=_blank(text[: down.end()]) + text[down.end() :],
    )


def split(sql: str) -> Iterator[Step]:
    """The statements, cut at the semicolons that end one: not in quotes, comments or a trigger's body."""
    start = 0
    for end in _semicolons(sql):
        if sqlite3.complete_statement(sql[start:end]):
            yield _step(sql, start, end)
            start = end
    if _without_comments(sql[start:]):
        yield _step(sql, start, len(sql))


def _step(sql: str, start: int, end: int) -> Step:
    text = sql[start:end]
    leading = len(text) - len(text.lstrip())
    return Step(text.strip(), line=sql.count("\n", 0, start + leading) + 1)


def _semicolons(sql: str) -> Iterator[int]:
    done = 0
    while (place := sql.find(";", done)) >= 0:
        token = TOKEN.search(sql, done)
        if token is None or token.start() > place:
            yield place + 1
            done = place + 1
        else:
            done = end_of_comment(sql, token.end()) if token["comment"] else token.end()


def _without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*", "", sql).strip()


def _blank(text: str) -> str:
    return "\n" * text.count("\n")
