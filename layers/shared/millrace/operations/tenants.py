"""Tenants and their sites: who there is."""

from typing import Any

from millrace.domain.quota import EVALUATIONS
from millrace.env import Env
from millrace.errors import CommandRefused
from millrace.operations import lists
from millrace.store import tenants


def add_tenant(env: Env, *, tenant_id: str, name: str, tier: str) -> dict[str, Any]:
    check_tier(tier)
    if not tenants.create(env.DB, tenant_id, name=name, tier=tier, now=env.now()):
        raise CommandRefused(f"There is a tenant {tenant_id} already.")
    return {"tenant_id": tenant_id, "name": name, "tier": tier}


def list_tenants(env: Env, *, limit: int, cursor: str | None) -> dict[str, Any]:
    page = lists.ask_for(limit=limit, cursor=cursor)
    return lists.show("tenants", tenants.list_newest(env.DB, page=page), page=page)


def add_site(env: Env, *, site_id: str, tenant_id: str, name: str, tier: str | None) -> dict[str, Any]:
    """`tier` None: its tenant's."""
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
    page = lists.ask_for(limit=limit, cursor=cursor)
    return lists.show("sites", tenants.list_sites(env.DB, tenant_id=tenant_id, page=page), page=page)


def check_tenant(env: Env, tenant_id: str) -> None:
    if not tenants.exists(env.DB, tenant_id):
        raise CommandRefused(
            f"There is no tenant {tenant_id}. Add it: millrace tenants add {tenant_id} --name …"
        )


def check_tier(tier: str) -> None:
    if tier not in EVALUATIONS.tiers:
        raise CommandRefused(f"There is no tier {tier}. There are {', '.join(EVALUATIONS.tiers)}.")
