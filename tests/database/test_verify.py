"""Holding a database against its migrations: each thing that was changed by hand is named."""

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from pg8000.native import literal

from millrace import migrations
from millrace.errors import MigrationFailed, StatementInvalid
from millrace.migrations.opening import opened
from tests.databases import MIGRATIONS, on_postgres
from tests.migration_bed import Folder


class Undone(Exception):
    """Takes a transaction back."""


@pytest.fixture
def live(database) -> Folder:
    """The real schema, as a test finds it."""
    return Folder(MIGRATIONS, database)


def test_what_the_migrations_made_is_what_they_make(live):
    assert live.verify() == []
    assert live.schema() == live.schema()


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("ALTER TABLE sites ADD COLUMN colour TEXT", "in the database only: column sites.colour"),
        ("CREATE TABLE toys (id TEXT PRIMARY KEY)", "in the database only: table toys"),
        ("CREATE INDEX toys ON sites(name)", "in the database only: index toys"),
        ("CREATE VIEW toys AS SELECT id FROM sites", "in the database only: view toys"),
        ("DROP INDEX idx_sites_tenant", "missing: index idx_sites_tenant"),
        ("DROP TABLE job_events", "missing: table job_events"),
    ],
)
def test_a_difference_is_named(live, change, difference):
    live.execute(change)

    assert difference in live.verify()


@on_postgres
@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("ALTER TABLE leads ALTER COLUMN phone TYPE VARCHAR(9)", "differs: column leads.phone: it is ["),
        ("ALTER TABLE leads ALTER COLUMN email SET NOT NULL", "differs: column leads.email: it is ["),
        ("ALTER TABLE leads ALTER COLUMN status SET DEFAULT 'old'", "differs: column leads.status"),
        ("ALTER TABLE leads DROP CONSTRAINT lead_score_in_range", "missing: constraint leads.lead_score_in"),
        ("ALTER TABLE leads DISABLE ROW LEVEL SECURITY", "differs: table leads: it is [], it should be [row"),
        ("DROP POLICY own_tenant ON leads", "missing: policy own_tenant on leads"),
        ("GRANT SELECT ON leads TO PUBLIC", "in the database only: grant on leads to public"),
        ("GRANT SELECT (phone) ON leads TO PUBLIC", "in the database only: grant on leads.phone to public"),
        ("CREATE OR REPLACE FUNCTION json_valid(document JSONB) RETURNS BOOLEAN RETURN false",
         "differs: function json_valid(document jsonb)"),
        ("CREATE TRIGGER t BEFORE UPDATE ON leads EXECUTE FUNCTION suppress_redundant_updates_trigger()",
         "in the database only: trigger t on leads"),
        ("CREATE SEQUENCE toys", "in the database only: sequence toys"),
        ("ALTER TABLE leads DISABLE TRIGGER ALL",
         "in the database only: disabled leads_tenant_id_fkey on leads"),
        ("ALTER TABLE tenants DISABLE TRIGGER ALL",
         "in the database only: disabled leads_tenant_id_fkey on tenants"),
        ("CREATE RULE toys AS ON DELETE TO leads DO INSTEAD NOTHING",
         "in the database only: rule toys on leads"),
        ("ALTER TABLE leads OWNER TO millrace_api", "in the database only: owner of leads"),
        ("ALTER FUNCTION json_valid(TEXT) OWNER TO millrace_api",
         "differs: function json_valid(document text)"),
        ("ALTER TABLE enrichment_cache SET UNLOGGED",
         "differs: table enrichment_cache: it is [row security, unlogged]"),
        ("ALTER TABLE leads ALTER COLUMN phone TYPE TEXT COLLATE \"C\"",
         "differs: column leads.phone: it is [text COLLATE"),
        ("GRANT SELECT ON enrichment_cache TO millrace_engine WITH GRANT OPTION",
         "differs: grant on enrichment_cache to millrace_engine"),
        ("REVOKE EXECUTE ON FUNCTION json_valid(JSONB) FROM PUBLIC",
         "missing: grant on function json_valid(document jsonb) to public"),
        ("GRANT CREATE ON SCHEMA public TO millrace_api",
         "in the database only: grant on the schema to millrace_api"),
        ("CREATE TYPE toy AS ENUM ('bear', 'car')", "in the database only: type toy"),
        ("CREATE DOMAIN toy AS TEXT CHECK (value <> '')", "in the database only: type toy"),
    ],
)  # fmt: skip
def test_a_difference_that_only_postgres_can_have_is_named(live, change, difference):
    live.execute(change)

    assert [found for found in live.verify() if found.startswith(difference)] != []


@on_postgres
def test_a_role_that_its_policies_do_not_bind_is_named(live):
    owner = f"{live.database.url.rpartition('/')[2]}_owner"
    live.execute(
        f"CREATE ROLE {owner}", f"ALTER TABLE leads OWNER TO {owner}", f"GRANT {owner} TO millrace_api"
    )
    try:
        assert live.verify()[-1] == "roles: millrace_api is not bound by row-level security: the owner"
    finally:
        live.execute(f"DROP OWNED BY {owner} CASCADE", f"DROP ROLE {owner}")


# The roles are the whole server's, so that nobody else sees this one but within its transaction.
@on_postgres
@pytest.mark.parametrize(("power", "said"), [("BYPASSRLS", "BYPASSRLS"), ("SUPERUSER", "superuser")])
def test_a_role_above_its_policies_is_named(live, power, said):
    with opened(live.database.url) as target, pytest.raises(Undone), target.transaction():
        assert target.list_unbound_roles() == []
        target.execute(f"ALTER ROLE millrace_api {power}")

        assert target.list_unbound_roles() == [f"millrace_api is not bound by row-level security: {said}"]
        raise Undone


@on_postgres
def test_rows_that_point_at_nothing_are_counted_where_the_triggers_were_asleep(live):
    live.execute(
        "SET session_replication_role = replica",
        "INSERT INTO sites (id, tenant_id, name, created_at, updated_at)"
        " VALUES ('s', 'nobody', 's', now(), now())",
    )

    assert live.verify() == ["rows: 1 row of sites points at nothing in tenants"]


def test_what_is_pending_is_named_also_where_the_schema_would_not_tell(live, tmp_path):
    folder = Folder(shutil.copytree(MIGRATIONS, tmp_path / "migrations"), live.database)
    folder.write("9999_rows.sql", "DELETE FROM settings;", "SELECT 1;")

    assert folder.verify() == ["history: 9999_rows.sql is pending"]


def test_a_history_that_is_gone_is_told(live):
    live.execute("DELETE FROM schema_migrations")

    assert "history: 0001_tenants.sql is pending" in live.verify()


def test_checksums_that_are_gone_are_told(live):
    live.execute("DELETE FROM migration_checksums WHERE version = '0001'")

    [line] = live.verify()
    assert line.startswith("history: the checksum of 0001_tenants.sql is gone")


def test_columns_in_another_order_are_named(empty_database, tmp_path):
    folder = Folder(tmp_path, empty_database)
    folder.write("0001_beds.sql", "CREATE TABLE beds (id TEXT, wide BOOLEAN);", "DROP TABLE beds;")
    folder.up()
    folder.execute("DROP TABLE beds", "CREATE TABLE beds (wide BOOLEAN, id TEXT)")

    assert folder.verify() == ["differs: order of columns in beds: it is [wide, id], it should be [id, wide]"]


def test_an_applied_file_that_is_not_there_is_named(live, tmp_path):
    folder = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    (folder / "0012_views.sql").unlink()
    for later in folder.glob("postgres/0013_*.sql"):
        later.unlink()

    said = migrations.verify(live.database.url, folder=folder)

    assert said[0].startswith("history: 0012_views.sql has been applied, but its file is not there")
    assert "in the database only: view daily_api_usage" in said


@on_postgres
def test_verifying_leaves_nothing_behind(live):
    live.verify()

    assert live.execute("SELECT 1 FROM pg_namespace WHERE nspname LIKE 'millrace%'") == []


@pytest.fixture
def builder(live) -> Iterator[str]:
    """A role that may make roles, and schemas in this database, but no databases: as much as Aurora gives."""
    name = live.database.url.rpartition("/")[2]
    password = literal(urlsplit(live.database.url).password or "")
    live.execute(
        f"CREATE ROLE {name}_builder LOGIN CREATEROLE PASSWORD {password}",
        f"GRANT CREATE ON DATABASE {name} TO {name}_builder",
        f"GRANT SELECT ON schema_migrations, migration_checksums TO {name}_builder",
    )
    yield f"{name}_builder"
    live.execute(f"DROP OWNED BY {name}_builder", f"DROP ROLE {name}_builder")


@on_postgres
def test_verifying_asks_for_no_right_to_make_databases(live, builder):
    differences = migrations.verify(live.database.url, folder=MIGRATIONS, user=builder)

    assert differences == []


@on_postgres
def test_a_history_that_may_not_be_read_is_not_taken_for_none(live, builder):
    live.execute(f"REVOKE SELECT ON schema_migrations FROM {builder}")

    with pytest.raises(StatementInvalid, match="permission denied for table schema_migrations"):
        migrations.verify(live.database.url, folder=MIGRATIONS, user=builder)


def test_a_pending_file_that_cannot_work_is_named_with_its_line(database, tmp_path):
    folder = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    (folder / "9999_wrong.sql").write_text("-- migrate:up\n\nDROP TABLE nosuch;\n\n-- migrate:down\n")

    with pytest.raises(MigrationFailed, match=r"9999_wrong\.sql, line 3: .*nosuch"):
        migrations.verify(database.url, folder=folder)
