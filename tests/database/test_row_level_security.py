"""The second wall on PostgreSQL: a statement that forgets its tenant still sees no foreign row."""

import pytest

from millrace.domain.idempotency import IdempotencyKey
from millrace.errors import StatementInvalid
from millrace.store import evaluations
from tests.databases import on_postgres
from tests.factories import (
    NOW,
    accept_job,
    add_document,
    add_key,
    add_lead,
    add_site,
    add_tenant,
    claim_job,
    complete_job,
    count_rows,
    new_id,
    order_for,
)

pytestmark = on_postgres

TENANT_TABLES = (
    "tenants",
    "sites",
    "leads",
    "ai_evaluation_jobs",
    "ai_evaluation_usage",
    "lead_ai_evaluations",
    "quota_entries",
    "job_events",
    "idempotency_keys",
    "api_keys",
    "lead_documents",
)


@pytest.fixture
def two_tenants(db):
    for letter in ("a", "b"):
        tenant, site = add_tenant(db, f"tenant_{letter}"), f"site_{letter}"
        add_site(db, site, tenant_id=tenant)
        lead = add_lead(db, f"lead_{letter}", site_id=site, tenant_id=tenant)
        accept_job(db, lead, tenant_id=tenant, site_id=site, key=IdempotencyKey("once", letter))
        complete_job(db, claim_job(db))
        add_key(db, tenant_id=tenant)
        add_document(db, lead, tenant_id=tenant)
    return db


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_the_api_sees_only_the_rows_of_the_tenant_its_batch_names(two_tenants, api_db, table):
    column = "id" if table == "tenants" else "tenant_id"
    seen = api_db.for_tenant("tenant_a").prepare(f"SELECT DISTINCT {column} FROM {table}").raw()

    assert seen == [("tenant_a",)]
    assert count_rows(api_db, table) == 0


def test_every_table_of_the_schema_is_walled(two_tenants):
    """A table somebody adds and forgets to wall is named here."""
    unwalled = two_tenants.prepare("""
        SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'public' AND relkind = 'r' AND NOT relrowsecurity AND relname <> 'schema_migrations'
    """).raw()

    assert unwalled == []


def test_the_api_cannot_write_into_another_tenant(two_tenants, api_db):
    own = api_db.for_tenant("tenant_a")

    assert own.prepare("UPDATE leads SET status = 'stolen' WHERE id = 'lead_b'").run().meta.changes == 0
    assert own.prepare("DELETE FROM sites WHERE id = 'site_b'").run().meta.changes == 0
    with pytest.raises(StatementInvalid, match="row-level security"):
        own.prepare("""
            INSERT INTO leads (id, tenant_id, site_id, created_at, updated_at)
            VALUES ('x', 'tenant_b', 'site_b', ?1, ?1)
        """).bind(NOW).run()


def test_the_api_can_create_and_read_jobs_for_its_own_tenant(two_tenants, api_db):
    own = api_db.for_tenant("tenant_a")
    lead = add_lead(two_tenants)

    job_id = evaluations.create(own, order_for(lead), job_id=new_id("job"), now=NOW).facts["job_id"]

    assert evaluations.read(own, job_id, tenant_id="tenant_a", site_id="site_a")["status"] == "pending"


def test_the_roles_cannot_change_the_schema(database):
    for role in ("millrace_api", "millrace_engine"):
        with pytest.raises(StatementInvalid, match="42501"):
            database.open(role=role).prepare("CREATE TABLE mine (id TEXT)").run()
