"""The PostgreSQL side: its tables, what is in them, and taking in rows a chunk at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from millrace.errors import CutoverRefused
from millrace.migrations.cutover.conversion import NULL, Unconvertible, canonical_json
from millrace.migrations.cutover.references import ForeignKey, find_dangling, read_foreign_keys
from millrace.migrations.cutover.rows import Converted, Rejected
from millrace.migrations.cutover.schema import (
    COLUMNS,
    Column,
    Table,
    make_tables,
    order_tables,
    quote,
)
from millrace.migrations.cutover.session import RowsRefused, Session
from millrace.migrations.cutover.tally import Tally
from millrace.migrations.on_postgres import ADVISORY_LOCK

# A copy that was killed a moment ago may still hold it, until its server has noticed.
LOCK_TRIES = 100
BEHIND_POLICIES = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND row_security_active(oid)
"""
# As SQLite stores it, and as `convert_time` makes it.
MOMENT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


class Target:
    """The tables where the rows go. Every constraint holds while they do."""

    def __init__(self, session: Session):
        self._session = session
        self._foreign_keys: list[ForeignKey] = []

    def lock(self) -> None:
        """No other copy and no migration from now on, for as long as this connection lasts."""
        for _ in range(LOCK_TRIES):
            if self._session.execute(f"SELECT pg_try_advisory_lock({ADVISORY_LOCK})")[0][0]:
                return
            self._session.execute("SELECT pg_sleep(0.1)")
        raise CutoverRefused("another copy or migration is at work on the target: let it end first")

    def read_tables(self, *, without: frozenset[str]) -> list[Table]:
        """In the order in which rows can go in. CutoverRefused for one who is not the tables' owner."""
        if hidden := {row[0] for row in self._session.execute(BEHIND_POLICIES)} - without:
            raise CutoverRefused(
                f"row-level security binds this login on {', '.join(sorted(hidden))}: log in as the owner"
            )
        tables = make_tables(map(tuple, self._session.execute(COLUMNS)), without=without)
        self._foreign_keys = read_foreign_keys(self._session)
        return order_tables(tables, foreign_keys=[(key.child, key.parent) for key in self._foreign_keys])

    def read(self, table: Table, take: Callable[[bytes], None], *, most: int | None = None) -> None:
        """Give every row to `take`, in the form in which both sides are compared."""
        columns = ", ".join(map(select_canonical, table.columns))
        limit = f" LIMIT {most}" if most is not None else ""
        canonical = make_canonical(table, take)
        self._session.copy_out(f"COPY (SELECT {columns} FROM {table.quoted}{limit}) TO STDOUT", canonical)

    def tally(self, table: Table, *, report: Callable[[int], None]) -> Tally:
        tally = Tally()

        def take(line: bytes) -> None:
            tally.add(line)
            report(1)

        self.read(table, take)
        return tally

    def find_foreign(self, table: Table, *, shipped: Sequence[bytes]) -> bool:
        """Whether it holds a row that its migrations did not put there."""
        found: set[bytes] = set()
        self.read(table, found.add, most=len(shipped) + 1)
        return not found <= set(shipped)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and each constraint is checked at once: a row that breaks one can be named."""
        with self._session.transaction():
            self._session.execute("SET CONSTRAINTS ALL IMMEDIATE")
            yield

    def keep_others_out(self, tables: Iterable[Table]) -> None:
        """Until the transaction ends nobody else writes."""
        names = ", ".join(table.quoted for table in tables)
        self._session.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")

    def empty(self, tables: Iterable[Table]) -> None:
        for table in tables:
            self._session.execute(f"DELETE FROM {table.quoted}")

    def store(self, table: Table, rows: Sequence[Converted]) -> list[Rejected]:
        """COPY them. Those that have to stay behind are returned.

        One row that stayed behind may have a million that refer to it: they are asked for, not searched for.
        """
        if self._copy(table, rows) is None:
            return []
        keys = [key for key in self._foreign_keys if key.child == table.name]
        dangling = find_dangling(self._session, keys, table=table, rows=rows)
        behind = {row.rowid for row in dangling}
        return dangling + self._store_halves(table, [row for row in rows if row.rowid not in behind])

    def _store_halves(self, table: Table, rows: Sequence[Converted]) -> list[Rejected]:
        """In halves where some are refused, down to the single rows."""
        refusal = self._copy(table, rows)
        if refusal is None:
            return []
        if len(rows) == 1:
            return [Rejected(rows[0].rowid, rows[0].values, str(refusal))]
        middle = len(rows) // 2
        return self._store_halves(table, rows[:middle]) + self._store_halves(table, rows[middle:])

    def _copy(self, table: Table, rows: Sequence[Converted]) -> RowsRefused | None:
        """All of them or none."""
        if not rows:
            return None
        try:
            with self._session.savepoint():
                lines = b"".join(row.line for row in rows)
                self._session.copy_in(f"COPY {table.quoted} ({table.column_list}) FROM STDIN", [lines])
        except RowsRefused as refusal:
            return refusal
        return None

    def analyze(self, tables: Iterable[Table]) -> None:
        """So that the first queries are planned for the tables as they are now."""
        for table in tables:
            self._session.execute(f"ANALYZE {table.quoted}")


def select_canonical(column: Column) -> str:
    return MOMENT.format(quote(column.name)) if column.kind == "timestamptz" else quote(column.name)


def make_canonical(table: Table, take: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """COPY writes most types as `conversion` does; the others are read and written anew."""
    rewrite = {
        place: REWRITE[column.kind] for place, column in enumerate(table.columns) if column.kind in REWRITE
    }
    if not rewrite:
        return take

    def rewritten(line: bytes) -> None:
        fields = line.decode()[:-1].split("\t")
        for place, canonical in rewrite.items():
            if fields[place] != NULL:
                fields[place] = canonical(fields[place])
        take(("\t".join(fields) + "\n").encode())

    return rewritten


def rewrite_document(field: str) -> str:
    try:
        # In a document COPY escapes nothing but the backslash.
        return canonical_json(field.replace(r"\\", "\\"))
    except Unconvertible:
        # The source can hold nothing like it, so any text will do: the table differs.
        return field


REWRITE: dict[str, Callable[[str], str]] = {
    "jsonb": rewrite_document,
    "float8": lambda field: repr(float(field)),
}
