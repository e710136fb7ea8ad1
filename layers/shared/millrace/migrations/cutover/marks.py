"""How far a copy has come, kept in the target beside the rows, so that one commit keeps both or neither."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from millrace.migrations.cutover.conversion import convert_text
from millrace.migrations.cutover.rejects import RejectsFile
from millrace.migrations.cutover.rows import Rejected
from millrace.migrations.cutover.schema import Table
from millrace.migrations.cutover.session import Session
from millrace.migrations.cutover.tally import Tally

# A schema of our own, so that none of it can be taken for the product's.
CREATE = (
    "CREATE SCHEMA millrace_cutover",
    """
    CREATE TABLE millrace_cutover.marks (
      table_name TEXT PRIMARY KEY, last_rowid BIGINT NOT NULL,
      read_rows BIGINT NOT NULL, read_hash TEXT NOT NULL,
      copied_rows BIGINT NOT NULL, copied_hash TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE millrace_cutover.rejects (
      number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, table_name TEXT NOT NULL, line TEXT NOT NULL
    )
    """,
)
EXISTS = "SELECT to_regclass('millrace_cutover.marks') IS NOT NULL"
READ = """
SELECT table_name, last_rowid, read_rows, read_hash, copied_rows, copied_hash FROM millrace_cutover.marks
"""
SET = """
INSERT INTO millrace_cutover.marks VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (table_name) DO UPDATE SET
  last_rowid = EXCLUDED.last_rowid, read_rows = EXCLUDED.read_rows, read_hash = EXCLUDED.read_hash,
  copied_rows = EXCLUDED.copied_rows, copied_hash = EXCLUDED.copied_hash
"""
KEEP_REJECTS = "COPY millrace_cutover.rejects (table_name, line) FROM STDIN"
# Each table's in the order of its rowids, in which verifying reads them.
READ_REJECTS = "COPY (SELECT line FROM millrace_cutover.rejects ORDER BY table_name, number) TO STDOUT"
COUNT_REJECTS = "SELECT table_name, COUNT(*) FROM millrace_cutover.rejects GROUP BY table_name"


@dataclass(slots=True)
class Mark:
    """Up to which rowid a table has been read, what that was, and what of it is in the target."""

    last_rowid: int | None = None
    read: Tally = field(default_factory=Tally)
    copied: Tally = field(default_factory=Tally)


class Marks:
    """The copy's own tables. They are there from its first transaction to its last."""

    def __init__(self, session: Session):
        self._session = session

    def exist(self) -> bool:
        return bool(self._session.execute(EXISTS)[0][0])

    def create(self) -> None:
        for statement in CREATE:
            self._session.execute(statement)

    def read(self) -> dict[str, Mark]:
        return {
            name: Mark(rowid, Tally.of(rows, digest), Tally.of(copied_rows, copied_digest))
            for name, rowid, rows, digest, copied_rows, copied_digest in self._session.execute(READ)
        }

    def set(self, table: Table, mark: Mark) -> None:
        read, copied = mark.read, mark.copied
        self._session.execute(
            SET, table.name, mark.last_rowid, read.rows, read.digest, copied.rows, copied.digest
        )

    def keep_rejects(self, table: Table, rejects: Sequence[Rejected]) -> None:
        if rejects:
            lines = (f"{table.name}\t{convert_text(reject.to_json(table))}\n" for reject in rejects)
            self._session.copy_in(KEEP_REJECTS, map(str.encode, lines))

    def count_rejects(self) -> dict[str, int]:
        return dict(map(tuple, self._session.execute(COUNT_REJECTS)))

    def write_rejects(self, path: Path) -> None:
        """All of them, however often the copy was interrupted."""
        with RejectsFile(path) as file:
            # JSON in ASCII holds nothing that COPY escapes but the backslash.
            self._session.copy_out(READ_REJECTS, lambda line: file.write(line.replace(b"\\\\", b"\\")))

    def drop(self) -> None:
        self._session.execute("DROP SCHEMA millrace_cutover CASCADE")
