"""A setting is the tenant's own, or else what holds for all."""

from decimal import Decimal

import pytest

from millrace.errors import StatementInvalid
from millrace.store import settings
from tests.databases import on_postgres
from tests.factories import add_tenant
from tests.valid_rows import add_row


@pytest.fixture
def two_tenants(db):
    add_tenant(db)
    add_tenant(db, "tenant_b")
    return db


def test_a_tenant_without_settings_of_its_own_has_the_six_defaults(two_tenants):
    assert settings.read(two_tenants, tenant_id="tenant_a") == {
        "llm_provider": "openai",
        "llm_model": "gpt-4o-mini",
        "max_concurrent_enrichments": 3,
        "cache_ttl_days": 7,
        "daily_spend_limit": Decimal("100.0"),
        "enable_deep_search": True,
    }


def test_a_tenants_own_value_holds_for_it_and_for_nobody_else(two_tenants):
    add_row(two_tenants, "settings", key="cache_ttl_days", value="30")
    add_row(two_tenants, "settings", id="list", key="regions", value='["north"]', value_type="json")

    own, other = (settings.read(two_tenants, tenant_id=f"tenant_{letter}") for letter in "ab")

    assert (own["cache_ttl_days"], own["regions"]) == (30, ["north"])
    assert other["cache_ttl_days"] == 7
    assert "regions" not in other


@on_postgres
def test_the_api_reads_the_defaults_and_writes_only_what_is_its_tenants(two_tenants, api_db):
    own = api_db.for_tenant("tenant_a")
    add_row(own, "settings", key="ai_enabled", value="false", value_type="boolean")

    spoilt = own.prepare("UPDATE settings SET value = '0' WHERE tenant_id IS NULL").run()

    assert spoilt.meta.changes == 0
    assert settings.read(own, tenant_id="tenant_a")["ai_enabled"] is False
    assert len(settings.read(own, tenant_id="tenant_b")) == 6
    with pytest.raises(StatementInvalid, match="row-level security"):
        add_row(own, "settings", id="for_all", key="ai_enabled", tenant_id=None)
