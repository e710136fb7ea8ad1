"""The schema that the migrations make, kept as text: `make schema` writes it anew."""

import tempfile
from pathlib import Path

from millrace import migrations
from millrace.bindings.database import Dialect
from tests.databases import MIGRATIONS, PostgresDatabases, SqliteDatabases
from tests.postgres_server import running_postgres

DRAWN = MIGRATIONS.parent / "docs" / "schema.md"


def snapshot_path(dialect: Dialect) -> Path:
    return Path(__file__).parent / "schema" / f"{dialect}.txt"


def renew() -> None:
    with tempfile.TemporaryDirectory() as folder, running_postgres() as server_url:
        postgres = PostgresDatabases(server_url)
        for databases in (SqliteDatabases(Path(folder)), postgres):
            with databases.fresh() as fresh:
                schema = migrations.read_schema(fresh.url)
            snapshot_path(databases.dialect).write_text(migrations.to_text(schema), encoding="utf-8")
            if databases.dialect == "sqlite":
                DRAWN.write_text(migrations.draw(schema), encoding="utf-8")
        postgres.close()


if __name__ == "__main__":
    renew()
