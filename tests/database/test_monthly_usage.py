"""What a site has used in a month, of how much."""

import pytest

from millrace.errors import SiteNotFound
from millrace.store import monthly_usage
from tests.factories import NOW, accept_job, add_house, add_lead, add_site, add_tenant


def usage(db, site_id="site_a", *, tenant_id="tenant_a", month="2025-12"):
    row = monthly_usage.read(db, site_id, tenant_id=tenant_id, month=month, now=NOW)
    return (row["used"], row["quota_limit"], row["tier"])


def set_month(db, month, *, used, limit, tier="free"):
    db.prepare("""
        INSERT INTO ai_evaluation_usage (id, tenant_id, site_id, month, evaluation_count, quota_limit, tier,
                                         created_at, updated_at)
        VALUES (?1, 'tenant_a', 'site_a', ?1, ?2, ?3, ?4, ?5, ?5)
    """).bind(month, used, limit, tier, NOW).run()


@pytest.mark.parametrize(("tier", "limit"), [("free", 20), ("pro", 100), ("enterprise", 1_000)])
def test_a_month_without_a_charge_shows_none_of_the_tiers_limit(db, tier, limit):
    add_tenant(db)
    add_site(db, tier=tier)

    assert usage(db) == (0, limit, tier)


def test_what_is_charged_is_used(db):
    add_house(db)
    accept_job(db, add_lead(db))

    assert usage(db) == (1, 20, "free")


def test_the_sites_own_limit_comes_before_its_tenants(db):
    add_tenant(db, evaluations_a_month=500)
    add_site(db)
    add_site(db, "site_b", evaluations_a_month=7)

    assert usage(db) == (0, 500, "free")
    assert usage(db, "site_b") == (0, 7, "free")


def test_a_limit_that_was_raised_holds_at_once(db):
    add_house(db)
    accept_job(db, add_lead(db))
    db.prepare("UPDATE sites SET tier = 'pro' WHERE id = 'site_a'").run()

    assert usage(db) == (1, 100, "pro")


def test_a_month_that_is_over_keeps_its_limit(db):
    add_tenant(db)
    add_site(db, tier="pro")
    set_month(db, "2025-11", used=18, limit=20)

    assert usage(db, month="2025-11") == (18, 20, "free")
    assert usage(db, month="2025-10") == (0, 100, "pro")
    assert usage(db, month="2026-01") == (0, 100, "pro")


def test_a_site_that_is_not_theirs_is_as_one_that_is_not_there(db):
    add_house(db)
    add_tenant(db, "tenant_b")

    for site_id, tenant_id in (("site_x", "tenant_a"), ("site_a", "tenant_b")):
        with pytest.raises(SiteNotFound):
            usage(db, site_id, tenant_id=tenant_id)
