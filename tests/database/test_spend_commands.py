"""What may be spent in a day, at the command line: set, given back, told of, and held against the books."""

import pytest

from millrace.bindings.database import Database
from millrace.command import arms
from millrace.command.line import main
from millrace.domain.questions import ModelAnswer, PaidCall
from millrace.store import judgements, settings
from tests.database.auditing import entries
from tests.database.test_operator_commands import Deployed, Type
from tests.factories import NOW, accept_job, add_house, add_lead, begin_paid_work, claim_job, evaluation_of

SPEND = "spend: drift in 1 of 1 counters."
USAGE = "daily usage: drift in 1 of 3 counters."


@pytest.fixture(params=["here", "stack"])
def run(request, database_url: str, db: Database, monkeypatch) -> Type:
    """Types a command about a tenant with a site."""
    add_house(db)
    if request.param == "here":
        return lambda *words: main([*words, "--database", database_url])
    monkeypatch.setattr(arms, "DeployedStack", Deployed(database_url))
    return lambda *words: main(["--stack", "millrace-test", *words])


def limit_of(db: Database) -> str:
    return str(settings.read(db, tenant_id="tenant_a")["daily_spend_limit"])


def test_a_tenant_is_given_a_limit_of_its_own_and_what_holds_for_all_again(run, db):
    assert limit_of(db) == "100.0"

    assert run("tenants", "set-limit", "tenant_a", "--daily-spend", "25.50", "--live-jobs", "2") == 0
    assert limit_of(db) == "25.50"
    assert run("tenants", "set-limit", "tenant_a", "--daily-spend", "none") == 0
    assert limit_of(db) == "100.0"

    told = [(row["action"], row["subject"], row["before"], row["after"]) for row in entries(db)]
    assert told == [
        ("setting_changed", "daily_spend_limit", {}, {"value": "25.50"}),
        ("tenant_limit_changed", "tenant_a", {"live_jobs": None}, {"live_jobs": 2}),
        ("setting_changed", "daily_spend_limit", {"value": "25.50"}, {}),
    ]


def test_a_limit_that_was_not_there_cannot_be_taken_away_and_nothing_is_told(run, db):
    assert run("tenants", "set-limit", "tenant_a", "--daily-spend", "none") == 0

    assert entries(db) == []


@pytest.mark.parametrize("run", ["here"], indirect=True)
@pytest.mark.parametrize("dollars", ["-1", "1e3", "$5", "0.1234567", "much", ""])
def test_what_is_no_amount_of_dollars_is_refused(run, db, capsys, dollars):
    assert run("tenants", "set-limit", "tenant_a", f"--daily-spend={dollars}") == 1

    assert "in dollars" in capsys.readouterr().err
    assert entries(db) == []


@pytest.mark.parametrize("run", ["here"], indirect=True)
@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        ("UPDATE daily_spend SET used = used - 1", SPEND),
        ("UPDATE quota_entries SET amount = amount + 1 WHERE meter = 'spend' AND kind = 'settle'", SPEND),
        ("DELETE FROM quota_entries WHERE meter = 'spend' AND kind = 'settle'", SPEND),
        ("UPDATE daily_usage SET cost_microusd = cost_microusd + 1", USAGE),
        ("UPDATE usage_records SET output_tokens = output_tokens + 1", USAGE),
        ("UPDATE usage_records SET cost_microusd = cost_microusd + 1", SPEND),
    ],
)
def test_what_was_tampered_with_is_found(run, db, capsys, tampering, told):
    accept_job(db, add_lead(db))
    job = claim_job(db)
    assert begin_paid_work(db, job, most_microusd=5_000)
    answer = ModelAnswer("{}", "paid/model", input_tokens=7, output_tokens=3, cost_microusd=42)
    assert judgements.complete(
        db, job, evaluation=evaluation_of(), calls=[PaidCall("call", answer, NOW)], move_id="end", now=NOW
    )
    assert run("quotas", "verify") == 0
    db.prepare(tampering).run()

    assert run("quotas", "verify") == 1

    assert told in capsys.readouterr().out
