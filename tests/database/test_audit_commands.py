"""The audit log and the limits at the command line: on a database of this machine, and on a stack."""

from collections.abc import Mapping

import pytest

from millrace.bindings.database import Database
from millrace.command import arms
from millrace.command.line import main
from millrace.errors import QuotaExceeded
from millrace.store import audit, tenants
from tests.database.auditing import entries
from tests.database.test_operator_commands import Deployed, Type
from tests.databases import FreshDatabase
from tests.factories import NOW, accept_job, add_house, add_lead


@pytest.fixture(params=["here", "stack"])
def run(request, database_url: str, db: Database, monkeypatch) -> Type:
    """Types a command about a tenant with a site."""
    add_house(db)
    if request.param == "here":
        return lambda *words: main([*words, "--database", database_url])
    monkeypatch.setattr(arms, "DeployedStack", Deployed(database_url))
    return lambda *words: main(["--stack", "millrace-test", *words])


def test_another_limit_holds_at_once_also_below_what_is_used(run, db):
    accept_job(db, add_lead(db))

    assert run("sites", "set-limit", "site_a", "--evaluations-a-month", "1") == 0

    with pytest.raises(QuotaExceeded):
        accept_job(db, add_lead(db))
    assert run("sites", "set-limit", "site_a", "--evaluations-a-month", "none") == 0
    accept_job(db, add_lead(db))


def test_tiers_and_limits_are_set_shown_and_told_of(run, db, capsys):
    assert run("tenants", "set-tier", "tenant_a", "pro") == 0
    assert run("sites", "set-tier", "site_a", "enterprise") == 0
    assert run("tenants", "set-limit", "tenant_a", "--evaluations-a-month", "500") == 0

    assert [row["action"] for row in entries(db)] == [
        "tenant_tier_changed",
        "site_tier_changed",
        "tenant_limit_changed",
    ]
    capsys.readouterr()
    assert run("audit", "list", "--tenant", "tenant_a", "--limit", "2") == 0
    said = capsys.readouterr().out
    assert "There are more: --cursor" in said
    assert "command line" in said
    assert '{"evaluations_a_month": 500}' in said


def test_a_tenant_is_given_several_limits_of_its_own_and_the_tiers_again(run, db, capsys):
    own = {
        "gpu_seconds_a_month": 90,
        "requests_a_minute": 7,
        "requests_a_day": 70,
        "tokens_a_day": 7_000,
        "live_jobs": 2,
    }
    options = {name: f"--{name.replace('_', '-')}" for name in own}

    assert run("tenants", "set-limit", "tenant_a", *joined(options, own)) == 0

    assert limits_of(db) == {"evaluations_a_month": None, **own}
    assert [row["after"] for row in entries(db)] == [{name: own[name]} for name in tenants.LIMITS[1:]]
    assert run("tenants", "set-limit", "tenant_a", *joined(options, dict.fromkeys(own, "none"))) == 0
    assert set(limits_of(db).values()) == {None}
    capsys.readouterr()
    assert run("tenants", "set-limit", "tenant_a", "--live-jobs", "4") == 0
    assert run("tenants", "list") == 0
    assert "live_jobs" in capsys.readouterr().out


def joined(options: dict[str, str], values: Mapping[str, object]) -> list[str]:
    return [word for name, option in options.items() for word in (option, str(values[name]))]


def limits_of(db: Database) -> dict[str, int | None]:
    row = db.prepare("SELECT * FROM tenants WHERE id = 'tenant_a'").first()
    return {name: row[name] for name in tenants.LIMITS}


@pytest.mark.parametrize("run", ["here"], indirect=True)
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("tenants", "set-tier", "nobody", "pro"), "There is no tenant nobody"),
        (("tenants", "set-tier", "tenant_a", "gold"), "There is no tier gold"),
        (("sites", "set-tier", "nowhere", "pro"), "There is no site nowhere"),
        (("sites", "set-limit", "site_a", "--evaluations-a-month", "-1"), "A limit is a number from 0"),
        (("tenants", "set-limit", "tenant_a", "--evaluations-a-month", str(2**31)), "A limit is a number"),
        (("tenants", "set-limit", "tenant_a", "--live-jobs", "-1"), "A limit is a number from 0"),
        (("tenants", "set-limit", "nobody", "--live-jobs", "1"), "There is no tenant nobody"),
        (("tenants", "set-limit", "tenant_a"), "Say which limit: "),
        (("audit", "list", "--tenant", "nobody"), "There is no tenant nobody"),
        (("audit", "verify", "--known", "7"), "It is written PLACE:HASH"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(run, db, capsys, words, why):
    assert run(*words) == 1

    assert why in capsys.readouterr().err
    assert entries(db) == []


def test_a_whole_chain_is_said_to_be_whole_and_its_end_can_be_asked_for_later(run, db, capsys):
    run("tenants", "set-tier", "tenant_a", "pro")
    link = audit.seal(db, now=NOW)
    run("tenants", "set-tier", "tenant_a", "free")
    capsys.readouterr()

    assert run("audit", "verify") == 0

    said = capsys.readouterr().out
    assert "The chain is whole. Entries: 1 sealed, 1 not yet." in said
    assert f"Its end: 1:{link.hash}" in said
    assert run("audit", "verify", "--known", f"1:{link.hash}") == 0
    assert run("audit", "verify", "--known", f"1:{'ab' * 32}") == 1


def test_a_broken_chain_is_told_with_its_first_broken_entry_and_exit_code_1(
    run, db, database: FreshDatabase, capsys
):
    for tier in ("pro", "free", "pro"):
        run("tenants", "set-tier", "tenant_a", tier)
    audit.seal(db, now=NOW)
    owner = database.open(role=None)
    on_table = "ON audit_log" if owner.dialect == "postgres" else ""
    owner.prepare(f"DROP TRIGGER audit_entry_is_not_changed {on_table}").run()
    owner.prepare("UPDATE audit_log SET after = '{}' WHERE place > 1").run()
    capsys.readouterr()

    assert run("audit", "verify") == 1

    said = capsys.readouterr().out
    assert f"The chain breaks at place 2 (entry {entries(db)[1]['id']})" in said
    assert "Entries before it that are as they were sealed: 1." in said
