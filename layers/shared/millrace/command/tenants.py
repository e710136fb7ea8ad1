"""`millrace tenants …` and `millrace sites …`: who there is."""

import argparse
from typing import Any

from millrace.command.arms import add_operation, perform, show
from millrace.command.options import Commands, add_noun
from millrace.command.pages import add_page, show_page

TENANTS = ("id", "name", "tier", "evaluations_a_month", "created_at")
SITES = ("id", "tenant_id", "name", "tier", "evaluations_a_month", "created_at")


def add_to(commands: Commands) -> None:
    tenants = add_noun(commands, "tenants", says="tenants: whose data is kept apart")
    tenant = add_operation(tenants, "add", run=run_add_tenant, says="add a tenant")
    add_names(tenant)
    tenant.add_argument("--tier", default="free", help="free (the default), pro or enterprise")
    add_page(add_operation(tenants, "list", run=run_list_tenants, says="the newest tenants"))
    sites = add_noun(commands, "sites", says="a tenant's sites, which evaluations are charged to")
    site = add_operation(sites, "add", run=run_add_site, says="add a site to a tenant")
    add_names(site)
    site.add_argument("--tenant", required=True, metavar="ID", help="whose site it is")
    site.add_argument("--tier", help="free, pro or enterprise; default: its tenant's")
    listed = add_operation(sites, "list", run=run_list_sites, says="the newest sites")
    listed.add_argument("--tenant", metavar="ID", help="only this tenant's")
    add_page(listed)


def add_names(parser: Any) -> None:
    parser.add_argument("id", metavar="ID", help="what requests call it by, such as acme")
    parser.add_argument("--name", required=True, help="what people call it")


def run_add_tenant(given: argparse.Namespace) -> int:
    return show(perform(given, "tenants add", tenant_id=given.id, name=given.name, tier=given.tier))


def run_add_site(given: argparse.Namespace) -> int:
    facts = perform(
        given, "sites add", site_id=given.id, tenant_id=given.tenant, name=given.name, tier=given.tier
    )
    return show(facts)


def run_list_tenants(given: argparse.Namespace) -> int:
    facts = perform(given, "tenants list", limit=given.limit, cursor=given.cursor)
    return show_page(facts, "tenants", columns=TENANTS)


def run_list_sites(given: argparse.Namespace) -> int:
    facts = perform(given, "sites list", tenant_id=given.tenant, limit=given.limit, cursor=given.cursor)
    return show_page(facts, "sites", columns=SITES)
