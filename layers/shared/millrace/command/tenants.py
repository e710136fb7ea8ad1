"""`millrace tenants …` and `millrace sites …`: who there is."""

import argparse
from typing import Any

from millrace.command.arms import add_operation, perform, show
from millrace.command.options import Commands, Run, add_noun
from millrace.command.pages import add_page, show_page

# A tenant's own limits, and what each is a limit of. None: what the tiers say.
LIMITS = {
    "evaluations_a_month": "of each of its sites that has no limit of its own",
    "gpu_seconds_a_month": "of all its exports",
    "requests_a_minute": "of each of its keys' users",
    "requests_a_day": "of each of its keys' users",
    "tokens_a_day": "of each of its keys' users",
    "live_jobs": "of each of its keys' users, at once",
}
TENANTS = ("id", "name", "tier", *LIMITS, "created_at")
SITES = ("id", "tenant_id", "name", "tier", "evaluations_a_month", "created_at")


def add_to(commands: Commands) -> None:
    tenants = add_noun(commands, "tenants", says="tenants: whose data is kept apart")
    tenant = add_operation(tenants, "add", run=run_add_tenant, says="add a tenant")
    add_names(tenant)
    tenant.add_argument("--tier", default="free", help="free (the default), pro or enterprise")
    add_page(add_operation(tenants, "list", run=run_list_tenants, says="the newest tenants"))
    add_tier(tenants, run=run_tier_of_tenant, more="Its sites keep theirs; those that come have this one.")
    add_limits(tenants)
    sites = add_noun(commands, "sites", says="a tenant's sites, which evaluations are charged to")
    site = add_operation(sites, "add", run=run_add_site, says="add a site to a tenant")
    add_names(site)
    site.add_argument("--tenant", required=True, metavar="ID", help="whose site it is")
    site.add_argument("--tier", help="free, pro or enterprise; default: its tenant's")
    listed = add_operation(sites, "list", run=run_list_sites, says="the newest sites")
    listed.add_argument("--tenant", metavar="ID", help="only this tenant's")
    add_page(listed)
    add_tier(sites, run=run_tier_of_site)
    limited = add_limit(sites, run=run_limit_of_site, says="give it a limit of its own")
    limited.add_argument("--evaluations-a-month", required=True, **NUMBER)


def add_tier(commands: Commands, *, run: Run, more: str = "") -> None:
    says = "give it another tier, from the next request on"
    tier = add_operation(commands, "set-tier", run=run, says=says, more=more)
    tier.add_argument("id", metavar="ID")
    tier.add_argument("tier", metavar="TIER", help="free, pro or enterprise")


def add_limit(commands: Commands, *, run: Run, says: str) -> Any:
    limit = add_operation(
        commands,
        "set-limit",
        run=run,
        says=f"{says}, from the next request on",
        more="It may be lower than what is used: then no more is accepted.",
    )
    limit.add_argument("id", metavar="ID")
    return limit


def add_limits(commands: Commands) -> None:
    limits = add_limit(commands, run=run_limit_of_tenant, says="give it limits of its own, some or all")
    for name, whose in LIMITS.items():
        option = f"--{name.replace('_', '-')}"
        limits.add_argument(option, **NUMBER | {"default": argparse.SUPPRESS, "help": f"{whose}; or none"})
    limits.add_argument(
        "--daily-spend", type=text_or_none, default=argparse.SUPPRESS, metavar="DOLLARS",
        help="of what all its jobs may cost in a day; or none",
    )  # fmt: skip


def text_or_none(text: str) -> str | None:
    return None if text == "none" else text


def number_or_none(text: str) -> int | None:
    return None if text == "none" else int(text)


NUMBER: dict[str, Any] = {"type": number_or_none, "metavar": "N", "help": "a number, or none"}


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


def run_tier_of_tenant(given: argparse.Namespace) -> int:
    return show(perform(given, "tenants set-tier", tenant_id=given.id, tier=given.tier))


def run_tier_of_site(given: argparse.Namespace) -> int:
    return show(perform(given, "sites set-tier", site_id=given.id, tier=given.tier))


def run_limit_of_tenant(given: argparse.Namespace) -> int:
    limits = {name: value for name, value in vars(given).items() if name in (*LIMITS, "daily_spend")}
    return show(perform(given, "tenants set-limit", tenant_id=given.id, **limits))


def run_limit_of_site(given: argparse.Namespace) -> int:
    limit = given.evaluations_a_month
    return show(perform(given, "sites set-limit", site_id=given.id, evaluations_a_month=limit))
