"""Tenants and sites: what a site is born with is its tenant's, unless somebody says otherwise."""

import pytest

from millrace.store import tenants
from tests.factories import NOW


@pytest.fixture
def tenant(db) -> str:
    tenants.create(db, "acme", name="Acme", now=NOW, tier="pro")
    return "acme"


def add_site(db, tenant_id: str, **given) -> str | None:
    return tenants.create_site(db, "site_acme", tenant_id=tenant_id, name="Main", now=NOW, **given)


def site(db) -> dict:
    return dict(db.prepare("SELECT * FROM sites WHERE id = 'site_acme'").first() or {})


def test_a_site_has_its_tenant_s_tier(db, tenant):
    assert add_site(db, tenant) == "pro"
    assert (site(db)["tier"], site(db)["evaluations_a_month"]) == ("pro", None)


def test_a_site_may_have_a_tier_and_a_limit_of_its_own(db, tenant):
    assert add_site(db, tenant, tier="enterprise", evaluations_a_month=7) == "enterprise"
    assert (site(db)["tier"], site(db)["evaluations_a_month"]) == ("enterprise", 7)


def test_a_site_that_is_there_already_is_left_as_it_is(db, tenant):
    add_site(db, tenant)

    assert add_site(db, tenant, tier="free") is None
    assert site(db)["tier"] == "pro"


def test_nobody_s_site_is_not_made(db):
    assert add_site(db, "nobody", tier="free") is None
    assert site(db) == {}
