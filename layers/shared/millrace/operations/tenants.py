"""Tenants and their sites: who there is."""

import re
from decimal import Decimal
from typing import Any

from millrace.domain.audit import Author
from millrace.domain.naming import ID, NAME
from millrace.domain.pricing import AMOUNT
from millrace.domain.quota import EVALUATIONS
from millrace.domain.spending import LIMIT_SETTING
from millrace.env import Env
from millrace.errors import CommandRefused
from millrace.operations import lists
from millrace.store import settings, tenants

# Dollars, down to their millionths.
DOLLARS = re.compile(AMOUNT)
DAILY_SPEND = "daily_spend"
LIMITS = (*tenants.LIMITS, DAILY_SPEND)
# What the column takes.
MOST_A_MONTH = 2**31 - 1


def add_tenant(env: Env, *, tenant_id: str, name: str, tier: str) -> dict[str, Any]:
    check_id(tenant_id, name="tenant_id")
    check_name(name)
    check_tier(tier)
    if not tenants.create(env.DB, tenant_id, name=name, tier=tier, now=env.now()):
        raise CommandRefused(f"There is a tenant {tenant_id} already.")
    return {"tenant_id": tenant_id, "name": name, "tier": tier}


def list_tenants(env: Env, *, limit: int, cursor: str | None) -> dict[str, Any]:
    page = lists.ask_for("tenants", limit=limit, cursor=cursor)
    return lists.show("tenants", tenants.list_newest(env.DB, page=page), page=page)


def add_site(env: Env, *, site_id: str, tenant_id: str, name: str, tier: str | None) -> dict[str, Any]:
    """`tier` None: its tenant's."""
    check_id(site_id, name="site_id")
    check_name(name)
    if tier is not None:
        check_tier(tier)
    born = tenants.create_site(env.DB, site_id, tenant_id=tenant_id, name=name, tier=tier, now=env.now())
    if born is None:
        check_tenant(env, tenant_id)
        raise CommandRefused(f"There is a site {site_id} already.")
    return {"site_id": site_id, "tenant_id": tenant_id, "name": name, "tier": born}


def list_sites(env: Env, *, tenant_id: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
    """A tenant's sites or everybody's."""
    if tenant_id is not None:
        check_tenant(env, tenant_id)
    page = lists.ask_for("sites", tenant_id, limit=limit, cursor=cursor)
    return lists.show("sites", tenants.list_sites(env.DB, tenant_id=tenant_id, page=page), page=page)


def set_tier_of_tenant(env: Env, *, tenant_id: str, tier: str) -> dict[str, Any]:
    check_tier(tier)
    check_tenant(env, tenant_id)
    change(env, tenant_id, of="tenant", tenant_id=tenant_id, column="tier", value=tier)
    return {"tenant_id": tenant_id, "tier": tier}


def set_limit_of_tenant(env: Env, *, tenant_id: str, **limits: Any) -> dict[str, Any]:
    """Some of `LIMITS`, in numbers; None: what the tiers say. A site's own limit of evaluations comes before.

    `daily_spend` is in dollars; None: what is set for all.
    """
    if not limits or limits.keys() - set(LIMITS):
        raise CommandRefused(f"Say which limit: {', '.join(LIMITS)}.")
    spend = {name: limits.pop(name) for name in (DAILY_SPEND,) if name in limits}
    for limit in limits.values():
        check_limit(limit)
    for dollars in spend.values():
        check_dollars(dollars)
    check_tenant(env, tenant_id)
    for dollars in spend.values():
        limit_spend(env, tenant_id, dollars=dollars)
    for column, value in limits.items():
        change(env, tenant_id, of="tenant", tenant_id=tenant_id, column=column, value=value)
    return {"tenant_id": tenant_id, **spend, **limits}


def limit_spend(env: Env, tenant_id: str, *, dollars: str | None) -> None:
    wanted = None if dollars is None else Decimal(dollars)
    by = Author.operator(env.new_id)
    settings.change(env.DB, {LIMIT_SETTING: wanted}, tenant_id=tenant_id, by=by, now=env.now())


def set_tier_of_site(env: Env, *, site_id: str, tier: str) -> dict[str, Any]:
    check_tier(tier)
    tenant_id = find_tenant_of(env, site_id)
    change(env, site_id, of="site", tenant_id=tenant_id, column="tier", value=tier)
    return {"site_id": site_id, "tenant_id": tenant_id, "tier": tier}


def set_limit_of_site(env: Env, *, site_id: str, evaluations_a_month: int | None) -> dict[str, Any]:
    """None: what its tenant has, or else what its tier says."""
    check_limit(evaluations_a_month)
    tenant_id = find_tenant_of(env, site_id)
    limited = {"column": "evaluations_a_month", "value": evaluations_a_month}
    change(env, site_id, of="site", tenant_id=tenant_id, **limited)
    return {"site_id": site_id, "tenant_id": tenant_id, "evaluations_a_month": evaluations_a_month}


def change(env: Env, changed_id: str, **changed: Any) -> None:
    tenants.change(env.DB, changed_id, by=Author.operator(env.new_id), now=env.now(), **changed)


def find_tenant_of(env: Env, site_id: str) -> str:
    row = tenants.find_site(env.DB, site_id)
    if row is None:
        raise CommandRefused(f"There is no site {site_id}: millrace sites list")
    return str(row["tenant_id"])


def check_limit(limit: int | None) -> None:
    if limit is not None and not 0 <= limit <= MOST_A_MONTH:
        raise CommandRefused(f"A limit is a number from 0 to {MOST_A_MONTH:,}, or none.")


def check_dollars(dollars: Any) -> None:
    if dollars is not None and not (isinstance(dollars, str) and DOLLARS.fullmatch(dollars)):
        raise CommandRefused("A limit of what is spent is in dollars, such as 25 or 0.50, or none.")


def check_id(given: str, *, name: str) -> None:
    if fault := ID.fault_of(given):
        raise CommandRefused(f"{name} {fault}.")


def check_name(given: str) -> None:
    if fault := NAME.fault_of(given):
        raise CommandRefused(f"name {fault}.")


def check_tenant(env: Env, tenant_id: str) -> None:
    if not tenants.exists(env.DB, tenant_id):
        raise CommandRefused(
            f"There is no tenant {tenant_id}. Add it: millrace tenants add {tenant_id} --name …"
        )


def check_tier(tier: str) -> None:
    if tier not in EVALUATIONS.tiers:
        raise CommandRefused(f"There is no tier {tier}. There are {', '.join(EVALUATIONS.tiers)}.")
