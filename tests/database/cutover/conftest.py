"""What the tests of the cutover share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cutover_bed import Move
from tests.databases import PostgresDatabases, SqliteDatabases


@pytest.fixture
def move(
    sqlite_databases: SqliteDatabases, postgres_databases: PostgresDatabases, tmp_path: Path
) -> Iterator[Move]:
    """From a fresh database to a fresh database."""
    with sqlite_databases.fresh() as source, postgres_databases.fresh() as target:
        yield Move(source, target, tmp_path / "rejects.jsonl")
