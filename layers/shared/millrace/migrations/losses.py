"""What rolling back would delete: the rows of the tables that a way down drops, or drops a column of."""

import re
from collections.abc import Iterator, Sequence

from millrace.errors import MigrationInvalid
from millrace.migrations.files import Migration
from millrace.migrations.targets import Target

DROPS = re.compile(
    r"""DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?P<tables>["\w]+(?:\s*,\s*["\w]+)*)"""
    r"""|ALTER\s+TABLE\s+(?P<altered>["\w]+)\s.*\bDROP\s+(?!CONSTRAINT\b)""",
    re.IGNORECASE | re.DOTALL,
)


def refuse_losses(target: Target, files: Sequence[Migration]) -> None:
    """MigrationInvalid names each table that holds rows."""
    if losses := list(find_losses(target, files)):
        raise MigrationInvalid(". ".join([*losses, "--force deletes that. Nothing was changed."]))


def find_losses(target: Target, files: Sequence[Migration]) -> Iterator[str]:
    for file in files:
        for table in _tables_dropped_from(file):
            if target.columns_of(table) and target.execute(f'SELECT 1 FROM "{table}" LIMIT 1'):
                yield f"Rolling back {file.name} deletes what {table} holds"


def _tables_dropped_from(file: Migration) -> Iterator[str]:
    for step in file.down.steps:
        if found := DROPS.match(step.sql):
            yield from re.findall(r"\w+", found["tables"] or found["altered"])
