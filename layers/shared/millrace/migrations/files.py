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
BUILDS_INDEX = re.compile(r"CREATE\s+(UNIQUE\s+)?INDEX\b", re.IGNORECASE)
# As it has to be written, so that an index that was not built to its end is found by its name.
INDEX_BY_NAME = re.compile(
    BUILDS_INDEX.pattern
    + r"""\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+(?P<name>"[^"]+"|\w+)"""
    + r"""\s+ON\s+(?:ONLY\s+)?(?:"[^"]+"|\w+\b)\s*[^.\s]""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a file, and the line it begins on."""

    sql: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A way up or down. `alone`: outside a transaction, for CREATE INDEX CONCURRENTLY: of that `index`."""

    text: str
    steps: tuple[Step, ...]
    alone: bool
    index: str | None = None


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
    text = _read_text(path)
    marks = list(SECTION.finditer(text))
    if [mark[1] for mark in marks] != ["up", "down"]:
        raise MigrationInvalid(f"{path.name}: it needs a line '-- migrate:up', then one '-- migrate:down'")
    up, down = marks
    if _without_comments(text[: up.start()]):
        raise MigrationInvalid(f"{path.name}: nothing but comments may stand before '-- migrate:up'")
    return Migration(
        version=named[1],
        name=path.name,
        checksum=hashlib.sha256(text.encode()).hexdigest(),
        up=_read_section(path.name, text[: down.start()], mark=up, dialect=dialect),
        down=_read_section(path.name, text, mark=down, dialect=dialect),
    )


def _read_text(path: Path) -> str:
    try:
        # Line ends are read as \n, so that a checkout on Windows has the same checksum.
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MigrationInvalid(f"{path.name}: it is not in UTF-8 (at byte {error.start + 1})") from error


def _read_section(name: str, text: str, *, mark: re.Match[str], dialect: Dialect) -> Section:
    # Blank lines stand for what was cut away, so that a statement's line is its line in the file.
    body = "\n" * text.count("\n", 0, mark.end()) + text[mark.end() :]
    steps = tuple(split(body, dialect=dialect))
    for step in steps:
        if ENDS_TRANSACTION.match(_without_comments(step.sql)):
            raise MigrationInvalid(
                f"{name}, line {step.line}: the runner begins and ends the transaction, a file must not"
            )
    if not mark["alone"]:
        return Section(body.strip(), steps, alone=False)
    if dialect == "sqlite" or len(steps) != 1:
        raise MigrationInvalid(
            f"{name}: transaction:false is for a file in migrations/postgres/ with a single statement in "
            "that section: a CREATE INDEX CONCURRENTLY IF NOT EXISTS, say"
        )
    return Section(body.strip(), steps, alone=True, index=_index_of(name, steps[0]))


def _index_of(name: str, step: Step) -> str | None:
    """What the statement calls the index that it builds. None: it builds none."""
    sql = _without_comments(step.sql)
    if not BUILDS_INDEX.match(sql):
        return None
    if not (built := INDEX_BY_NAME.match(sql)):
        raise MigrationInvalid(
            f"{name}, line {step.line}: outside a transaction an index is built by CREATE [UNIQUE] INDEX "
            "CONCURRENTLY IF NOT EXISTS name ON table, without a schema: so a half-built one is found again"
        )
    return built["name"]


def split(sql: str, *, dialect: Dialect) -> Iterator[Step]:
    """The statements, cut at the semicolons that end one: not in quotes, comments or a trigger's body."""
    start = 0
    for end in _semicolons(sql):
        if _is_whole(sql[start:end], dialect=dialect):
            yield _step(sql, start, end)
            start = end
    if _without_comments(sql[start:]):
        yield _step(sql, start, len(sql))


def _is_whole(sql: str, *, dialect: Dialect) -> bool:
    # Differs: SQLite has semicolons in triggers, PostgreSQL in functions, between BEGIN ATOMIC and END.
    if dialect == "sqlite":
        return sqlite3.complete_statement(sql)
    depth = 0
    for earlier, word in pairwise(["", *_words(sql)]):
        if (earlier, word) == ("BEGIN", "ATOMIC") or (depth and word == "CASE"):
            depth += 1
        elif depth and word == "END":
            depth -= 1
    return depth == 0


def _words(sql: str) -> Iterator[str]:
    done = 0
    while token := TOKEN.search(sql, done):
        done = end_of_comment(sql, token.end()) if token["comment"] else token.end()
        if token["word"]:
            yield token["word"].upper()


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
