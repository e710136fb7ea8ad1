"""`env.DB`: D1's face, the same on SQLite and PostgreSQL.

`db.prepare("SELECT id FROM leads WHERE site_id = ?1").bind("site_abc").all()` runs one statement;
`db.batch([first, second, third])` runs several, all or nothing. Each is one round trip.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal, Protocol, Self

from millrace.domain.values import is_storable_number, is_storable_text
from millrace.errors import StatementInvalid, UnknownColumn, ValueNotStorable

Dialect = Literal["sqlite", "postgres"]
Value = None | bool | int | float | str | bytes | datetime | date | dict[str, Any] | list[Any]

MOST_STATEMENTS = 1_000
MOST_VALUES = 1_000
MOST_BYTES = 1 << 20


class Row(Mapping[str, Any]):
    """One row, answering by column name. An unknown name is an error, never None."""

    __slots__ = ("_columns", "_values")

    def __init__(self, columns: dict[str, int], values: Sequence[Any]):
        self._columns = columns
        self._values = values

    def __getitem__(self, column: str) -> Any:
        try:
            return self._values[self._columns[column]]
        except KeyError:
            raise UnknownColumn(f"no column {column!r}; there are {', '.join(self._columns)}") from None

    def get(self, column: str, *_: Any) -> Any:
        """Like row[column]: a row knows its columns, so a default would hide a mistake."""
        return self[column]

    def __contains__(self, column: object) -> bool:
        return column in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Row({dict(self)!r})"


@dataclass(frozen=True, slots=True)
class Meta:
    """`changes`: rows written by the statement. `duration`: milliseconds the call took."""

    changes: int
    duration: float


@dataclass(frozen=True, slots=True)
class Result:
    """What one statement answered."""

    columns: tuple[str, ...]
    tuples: list[tuple[Any, ...]]
    meta: Meta

    @property
    def results(self) -> list[Row]:
        columns = {name: place for place, name in enumerate(self.columns)}
        return [Row(columns, values) for values in self.tuples]

    def first(self) -> Row | None:
        return next(iter(self.results), None)

    def lasting(self, duration: float) -> Self:
        return replace(self, meta=Meta(self.meta.changes, duration))


class Executor(Protocol):
    """What a statement needs of the database it was prepared on."""

    def batch(self, statements: "Sequence[Statement]") -> list[Result]: ...


@dataclass(frozen=True, slots=True)
class Statement:
    """Prepared SQL and its values. `bind` returns a new one, so a statement can be kept and shared."""

    sql: str
    executor: Executor = field(repr=False, compare=False)
    values: tuple[Value, ...] = ()

    def __post_init__(self) -> None:
        if placeholders(self.sql).moves_transaction:
            raise StatementInvalid(f"the batch is the transaction: {self.sql[:80]}")

    def bind(self, *values: Value) -> Self:
        wanted = placeholders(self.sql).count
        if len(values) != wanted:
            raise StatementInvalid(f"it takes {wanted} values, {len(values)} were bound: {self.sql[:80]}")
        for place, value in enumerate(values, start=1):
            check_storable(value, place=place)
        return type(self)(self.sql, self.executor, values)

    def first(self, column: str | None = None) -> Any:
        """The first row, or one column of it. None when there is no row."""
        row = self._run().first()
        return row if row is None or column is None else row[column]

    def all(self) -> Result:
        return self._run()

    def run(self) -> Result:
        return self._run()

    def raw(self) -> list[tuple[Any, ...]]:
        """The rows as plain tuples."""
        return self._run().tuples

    def _run(self) -> Result:
        return self.executor.batch([self])[0]


class Database(Executor, Protocol):
    """The face itself."""

    dialect: Dialect

    def prepare(self, sql: str) -> Statement: ...

    def for_tenant(self, tenant_id: str) -> "Database":
        """The same database seen as one tenant: on PostgreSQL its row-level security then applies."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Placeholders:
    """SQL read once: with `$1` for `?1`, how many values it takes, and what kind of statement it is."""

    numbered: str
    count: int
    reads_only: bool
    moves_transaction: bool


# One alternative per thing in which a question mark is not a placeholder, then the placeholder, then a word.
TOKEN = re.compile(
    r"""
    (?P<opaque> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]*
              | \$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$ )
  | (?P<comment> /\* )
  | (?P<operator> \?\|(?!\|) | \?& | @\? )
  | (?P<placeholder> \?(?P<number>\d*) )
  | (?P<word> [A-Za-z_][\w$]* )
    """,
    re.VERBOSE | re.DOTALL,
)
COMMENT_EDGE = re.compile(r"/\*|\*/")
WRITING_WORDS = frozenset(("INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"))
# With one of these at its beginning a batch would be kept in part, or be gone with the connection.
TRANSACTION_WORDS = frozenset("BEGIN START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE".split())


@lru_cache(maxsize=512)
def placeholders(sql: str) -> Placeholders:
    """Read `?1` and `?` as SQLite does: a bare one takes the number after the largest so far."""
    pieces: list[str] = []
    words: list[str] = []
    done = largest = 0
    while token := TOKEN.search(sql, done):
        pieces.append(sql[done : token.start()])
        done = token.end()
        if token["comment"]:
            done = end_of_comment(sql, done)
        if token["placeholder"]:
            number = int(token["number"] or largest + 1)
            if not 1 <= number <= MOST_VALUES:
                raise StatementInvalid(f"placeholder ?{number} is out of range")
            largest = max(largest, number)
            pieces.append(f"${number}")
        else:
            pieces.append(sql[token.start() : done])
        if token["word"]:
            words.append(token["word"].upper())
    pieces.append(sql[done:])
    reads_only = words[:1] in (["SELECT"], ["WITH"], ["VALUES"]) and not WRITING_WORDS.intersection(words)
    moves_transaction = not TRANSACTION_WORDS.isdisjoint(words[:1])
    return Placeholders("".join(pieces), largest, reads_only, moves_transaction)


def end_of_comment(sql: str, start: int) -> int:
    """Block comments nest on PostgreSQL; an unclosed one runs to the end."""
    depth, done = 1, start
    while depth and (edge := COMMENT_EDGE.search(sql, done)):
        depth += 1 if edge[0] == "/*" else -1
        done = edge.end()
    return len(sql) if depth else done


def reads_only(statements: Sequence[Statement]) -> bool:
    """Whether nothing is written, so that repeating it after a broken connection is harmless."""
    return all(placeholders(statement.sql).reads_only for statement in statements)


def check_size(statements: Sequence[Statement]) -> None:
    """Beyond this, a server that answers before we have written all would wait for us and we for it."""
    if not 0 < len(statements) <= MOST_STATEMENTS:
        raise StatementInvalid(f"a batch takes 1 to {MOST_STATEMENTS} statements, not {len(statements)}")
    for statement in statements:
        wanted = placeholders(statement.sql).count
        if len(statement.values) != wanted:
            raise StatementInvalid(f"{len(statement.values)} of {wanted} values bound: {statement.sql[:80]}")
    if sum(_weight(statement) for statement in statements) > MOST_BYTES:
        raise StatementInvalid(f"a batch takes at most {MOST_BYTES} bytes; bulk work uses COPY")


def _weight(statement: Statement) -> int:
    return len(statement.sql) + sum(_value_weight(value) for value in statement.values)


def _value_weight(value: Value) -> int:
    """At most what the value takes on the wire: four bytes a character."""
    if isinstance(value, (dict, list)):
        value = to_json(value)
    if isinstance(value, str):
        return len(value.encode())
    return 2 * len(value) if isinstance(value, bytes) else 32


def check_storable(value: Any, *, place: int) -> None:
    """Refuse what would mean something else on the other database, or nothing at all."""
    if complaint := _complaint(value):
        raise ValueNotStorable(f"value {place}: {complaint}")


def _complaint(value: Any) -> str | None:
    if isinstance(value, str):
        return _complaint_about_text(value)
    if isinstance(value, (dict, list)):
        return _complaint_about_json(value)
    if isinstance(value, (int, float)):
        return None if is_storable_number(value) else "a number that not both databases can hold"
    if isinstance(value, datetime):
        return _complaint_about_time(value)
    known = value is None or isinstance(value, (bytes, date))
    return None if known else f"a {type(value).__name__} cannot be stored"


def _complaint_about_text(text: str) -> str | None:
    return None if is_storable_text(text) else "text with U+0000 or half a surrogate pair cannot be stored"


def _complaint_about_time(moment: datetime) -> str | None:
    if not moment.tzinfo:
        return "a datetime without a time zone"
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return "a datetime that in UTC is before the year 1 or after 9999"
    return None


def _complaint_about_json(value: dict[str, Any] | list[Any]) -> str | None:
    try:
        text = to_json(value)
    except ValueNotStorable as error:
        return str(error)
    # An escaped backslash before it makes it mere text.
    escaped_nul = "\\u0000" in text.replace("\\\\", "")
    return "JSON with U+0000 cannot be stored" if escaped_nul else _complaint_about_text(text)


def to_json(value: dict[str, Any] | list[Any]) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueNotStorable(f"not storable as JSON: {error}") from error
