"""The second wall on PostgreSQL: a statement that forgets its tenant still sees no foreign row."""

from contextlib import suppress
from decimal import Decimal

import pytest

from millrace.domain.settings import KEYS
from millrace.domain.spending import LIMIT_SETTING
from millrace.errors import StatementInvalid
from millrace.store import evaluation_history, evaluations, settings
from tests.databases import on_postgres
from tests.factories import BY, NOW, add_lead, count_rows, new_id, order_for
from tests.spending_bed import limit_spend
from tests.valid_rows import add_all, rows_of

pytestmark = on_postgres

# The cache and the seals are nobody's, and of the settings some are everybody's.
HIDDEN = ("enrichment_cache", "audit_seals", "settings")
TENANT_TABLES = [table for table in rows_of("a") if table not in HIDDEN]
VIEWS = ["enrichment_job_summary", "daily_api_usage", "enrichment_success_rate"]


@pytest.fixture
def two_tenants(db):
    for letter in "ab":
        add_all(db, letter=letter)
    db.prepare("UPDATE enrichment_records SET status = 'enriched', processed_at = ?1").bind(NOW).run()
    return db


def test_the_api_sees_only_the_rows_of_the_tenant_its_batch_names(two_tenants, api_db):
    own = api_db.for_tenant("tenant_a")

    for table in (*TENANT_TABLES, *VIEWS):
        column = "id" if table == "tenants" else "tenant_id"
        assert own.prepare(f"SELECT DISTINCT {column} FROM {table}").raw() == [("tenant_a",)], table
        assert count_rows(api_db, table) == 0, table


def test_every_table_of_the_schema_is_walled(two_tenants):
    """A table somebody adds and forgets to wall is named here."""
    unwalled = two_tenants.prepare("""
        SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'public' AND relkind = 'r' AND NOT relrowsecurity
          AND relname NOT IN ('schema_migrations', 'migration_checksums')
    """).raw()

    assert unwalled == []


def test_nobody_but_the_engine_sees_what_others_have_looked_up(two_tenants, api_db):
    assert count_rows(two_tenants, "enrichment_cache") == 2
    with pytest.raises(StatementInvalid, match="42501"):
        count_rows(api_db.for_tenant("tenant_a"), "enrichment_cache")


def test_the_api_cannot_write_into_another_tenant(two_tenants, api_db):
    own = api_db.for_tenant("tenant_a")

    assert own.prepare("UPDATE leads SET status = 'stolen' WHERE id = 'lead_b'").run().meta.changes == 0
    assert own.prepare("DELETE FROM ai_evaluation_jobs WHERE lead_id = 'lead_b'").run().meta.changes == 0
    with pytest.raises(StatementInvalid, match="row-level security"):
        own.prepare("""
            INSERT INTO leads (id, tenant_id, site_id, created_at, updated_at)
            VALUES ('x', 'tenant_b', 'site_b', ?1, ?1)
        """).bind(NOW).run()


def test_the_api_can_create_and_read_jobs_for_its_own_tenant(two_tenants, api_db):
    own = api_db.for_tenant("tenant_a")
    lead = add_lead(two_tenants)

    job_id = evaluations.create(own, order_for(lead), job_id=new_id("job"), now=NOW).facts["job_id"]

    row, _ = evaluation_history.read(own, job_id, tenant_id="tenant_a", site_id="site_a")
    assert row["status"] == "pending"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE tenants SET evaluations_a_month = 1000000",
        "UPDATE sites SET tier = 'enterprise'",
        "UPDATE quota_entries SET amount = 0",
        "DELETE FROM quota_entries",
        "DELETE FROM job_events",
        "UPDATE lead_ai_evaluations SET score = 100",
        "DELETE FROM usage_records",
        "SELECT key_hash FROM api_keys",
        "UPDATE api_keys SET scopes = '[\"keys:admin\"]'",
        "UPDATE api_keys SET quota_tier = 'enterprise'",
        "UPDATE api_keys SET tenant_id = 'tenant_b'",
        "DELETE FROM api_keys",
        "UPDATE audit_log SET person = 'somebody else'",
        "UPDATE audit_log SET place = 1, hash = 'made up'",
        "INSERT INTO audit_log (id, place, hash) VALUES ('x', 1, 'made up')",
        "DELETE FROM audit_log",
        "SELECT place FROM audit_seals",
    ],
)
def test_the_api_cannot_rewrite_its_own_tenant_s_limits_books_or_history(two_tenants, api_db, sql):
    with pytest.raises(StatementInvalid, match="42501"):
        api_db.for_tenant("tenant_a").prepare(sql).run()


def test_the_api_writes_its_own_tenant_s_choices_about_ai_and_no_other_setting(two_tenants, api_db):
    own = api_db.for_tenant("tenant_a")
    choices = {KEYS["ai_enabled"]: False, KEYS["auto_run_on_documents"]: True, KEYS["default_model"]: "auto"}
    assert choices.keys() == set(KEYS.values())

    for values in (choices, dict.fromkeys(choices)):
        settings.change(own, values, tenant_id="tenant_a", by=BY, now=NOW)
    with pytest.raises(StatementInvalid, match="42501"):
        settings.change(own, {LIMIT_SETTING: Decimal(1_000_000)}, tenant_id="tenant_a", by=BY, now=NOW)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE settings SET value = '1000000' WHERE key = 'daily_spend_limit'",
        "UPDATE settings SET key = 'ai_enabled' WHERE key = 'daily_spend_limit'",
        "UPDATE settings SET key = 'daily_spend_limit', value = '1000000' WHERE key = 'ai_default_model'",
        "DELETE FROM settings WHERE key = 'daily_spend_limit'",
    ],
)
def test_the_api_cannot_change_what_may_be_spent_in_a_day(two_tenants, api_db, sql):
    limit_spend(two_tenants, "5")
    own = api_db.for_tenant("tenant_a")
    settings.change(own, {KEYS["default_model"]: "auto"}, tenant_id="tenant_a", by=BY, now=NOW)

    with suppress(StatementInvalid):
        own.prepare(sql).run()

    for seen in (two_tenants, own):
        assert settings.read(seen, tenant_id="tenant_a")[LIMIT_SETTING] == Decimal(5)


def test_the_roles_cannot_change_the_schema(database):
    for role in ("millrace_api", "millrace_engine"):
        with pytest.raises(StatementInvalid, match="42501"):
            database.open(role=role).prepare("CREATE TABLE mine (id TEXT)").run()
