"""`millrace tenants …` and `millrace sites …`: who there is."""

import argparse
from typing import Any

from millrace.command.arms import add_operation, perform, show
from millrace.command.options import Commands, add_noun


def add_to(commands: Commands) -> None:
    tenants = add_noun(commands, "tenants", says="tenants: whose data is kept apart")
    add_names(add_operation(tenants, "add", run=run_add_tenant, says="add a tenant"), tier="free")
    sites = add_noun(commands, "sites", says="a tenant's sites, which evaluations are charged to")
    site = add_operation(sites, "add", run=run_add_site, says="add a site to a tenant")
    add_names(site, tier="free")
    site.add_argument("--tenant", required=True, metavar="ID", help="whose site it is")


def add_names(parser: Any, *, tier: str) -> None:
    parser.add_argument("id", metavar="ID", help="what requests call it by, such as acme")
    parser.add_argument("--name", required=True, help="what people call it")
    parser.add_argument("--tier", default=tier, help=f"free, pro or enterprise; default {tier}")


def run_add_tenant(given: argparse.Namespace) -> int:
    return show(perform(given, "tenants add", tenant_id=given.id, name=given.name, tier=given.tier))


def run_add_site(given: argparse.Namespace) -> int:
    facts = perform(
        given, "sites add", site_id=given.id, tenant_id=given.tenant, name=given.name, tier=given.tier
    )
    return show(facts)
