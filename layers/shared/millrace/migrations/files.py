"""Migration files in dbmate's format: one text for both databases, and a folder for what only one needs."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from millrace.bindings.database import TOKEN, Dialect, end_of_comment
from millrace.errors import MigrationInvalid

FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
SECTION = re.compile(r"^-- migrate:(up|down)(?P<alone>[ \t]+transaction:false)?[ \t]*$", re.MULTILINE)
# The runner begins and ends the transaction. A file that did would keep half of itself when it fails.
ENDS_TRANSACTION = re.compile(r"(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE)\b", re.IGNORECASE)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
LEADING = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a file, and the line it begins on."""

    sql: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A way up or down. `alone`: outside a transaction, for CREATE INDEX CONCURRENTLY."""

    text: str
    steps: tuple[Step, ...]
    alone: bool


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `version` is its number, as dbmate writes it to schema_migrations."""

    version: str
    name: str
    checksum: str
    up: Section
    down: Section


def read_folder(folder: Path, *, dialect: Dialect) -> list[Migration]:
    """The files for this database, in number order."""
    paths = [path for place in (folder, folder / dialect) for path in sorted(place.glob("*.sql"))]
    if not paths:
        raise MigrationInvalid(f"there is no migration in {folder}")
    found = sorted((read_file(path, dialect=dialect) for path in paths), key=lambda file: file.version)
    for earlier, later in pairwise(found):
        if earlier.version == later.version:
            raise MigrationInvalid(f"{earlier.name} and {later.name} have the same number; renumber one")
    return found


def read_file(path: Path, *, dialect: Dialect) -> Migration:
    named = FILE_NAME.fullmatch(path.name)
    if not named:
        raise MigrationInvalid(f"{path.name}: a migration is called NNNN_what_it_does.sql")
    # Line ends are read as \n, so that a checkout on Windows has the same checksum.
    text = path.read_text(encoding="utf-8")
    marks = list(SECTION.finditer(text))
    if [mark[1] for mark in marks] != ["up", "down"]:
        raise MigrationInvalid(f"{path.name}: it needs a line '-- migrate:up', then one '-- migrate:down'")
    up, down = marks
    return Migration(
        version=named[1],
        name=path.name,
        checksum=hashlib.sha256(text.encode()).hexdigest(),
        up=_read_section(path.name, text[: down.start()], mark=up, dialect=dialect),
        down=_read_section(path.name, text, mark=down, dialect=dialect),
    )


def _read_section(name: str, text: str, *, mark: re.Match[str], dialect: Dialect) -> Section:
    # Blank lines stand for what was cut away, so that a statement's line is its line in the file.
    body = "\n" * text.count("\n", 0, mark.end()) + text[mark.end() :]
    section = Section(body.strip(), tuple(split(body, dialect=dialect)), alone=bool(mark["alone"]))
    for step in section.steps:
        if ENDS_TRANSACTION.match(_without_comments(step.sql)):
            raise MigrationInvalid(
                f"{name}, line {step.line}: the runner begins and ends the transaction, a file must not"
            )
    if section.alone and (dialect == "sqlite" or len(section.steps) != 1):
        raise MigrationInvalid(
            f"{name}: transaction:false is for a file in migrations/postgres/ with a single statement in "
            "that section: a CREATE INDEX CONCURRENTLY IF NOT EXISTS, say"
        )
    return section


def split(sql: str, *, dialect: Dialect) -> Iterator[Step]:
    """The statements, cut at the semicolons that end one: not in quotes, comments or a trigger's body."""
    start = 0
    for end in _semicolons(sql):
        # Differs: a trigger of SQLite has semicolons in its body; one of PostgreSQL calls a function.
        if dialect == "postgres" or sqlite3.complete_statement(sql[start:end]):
            yield _step(sql, start, end)
            start = end
    if _without_comments(sql[start:]):
        yield _step(sql, start, len(sql))


def _step(sql: str, start: int, end: int) -> Step:
    leading = LEADING.match(sql, start)
    begin = leading.end() if leading else start
    return Step(sql[begin:end].strip(), line=sql.count("\n", 0, begin) + 1)


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
    return COMMENT.sub("", sql).strip()
