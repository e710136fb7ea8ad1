"""The operator's commands, typed: on a database of this machine, and on a stack."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.migrate import app as migrate
from functions.operate import app as operate
from millrace.command import arms, quotas, redrive
from millrace.command import migrations as migrations_command
from millrace.command.line import main
from millrace.domain.keys import read_key
from millrace.env import Env
from tests.databases import MIGRATIONS
from tests.events import Context
from tests.factories import accept_job, add_house, add_lead

Type = Callable[..., int]
FUNCTIONS = {"OperateFunction": operate.handler, "MigrateFunction": migrate.handler}


class Deployed:
    """A stack whose functions have the test's database."""

    def __init__(self, url: str):
        self._variables = {"DATABASE_URL": url, "MIGRATIONS_FOLDER": str(MIGRATIONS)}

    def __call__(self, name: str) -> "Deployed":
        assert name == "millrace-test"
        return self

    def command(self, name: str, arguments: dict[str, Any], *, output: str) -> dict[str, Any]:
        env = Env.from_variables(self._variables)
        answer = FUNCTIONS[output]({"command": name, "arguments": arguments}, Context(), env=env)
        env.close()
        return answer["facts"]


@pytest.fixture(params=["here", "stack"])
def run(request, database_url: str, monkeypatch) -> Type:
    """Types a command. Both arms do the same."""
    if request.param == "here":
        return lambda *words: main([*words, "--database", database_url])
    deployed = Deployed(database_url)
    for module in (arms, migrations_command):
        monkeypatch.setattr(module, "DeployedStack", deployed)
    return lambda *words: main(["--stack", "millrace-test", *words])


def furnish(run: Type) -> None:
    assert run("tenants", "add", "acme", "--name", "Acme Lettings", "--tier", "pro") == 0
    assert run("sites", "add", "site_acme", "--name", "Main", "--tenant", "acme") == 0


def test_from_nothing_to_a_key_that_is_whole(run, capsys):
    furnish(run)

    assert run("keys", "issue", "--tenant", "acme", "--user", "ada", "--name", "first") == 0

    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("{")]
    shown = next(line.split()[-1] for line in lines if line.startswith("key "))
    assert read_key(shown)
    assert "not shown again" in lines[-1]


def test_a_key_s_life_at_the_command_line(run, capsys):
    furnish(run)
    run("keys", "issue", "--tenant", "acme", "--user", "ada", "--name", "first", "--scope", "keys:admin")
    key_id = fact(capsys, "key_id")

    assert run("keys", "rotate", key_id, "--grace-hours", "0") == 0
    successor = fact(capsys, "key_id")
    assert run("keys", "revoke", successor) == 0
    assert fact(capsys, "revoked_at")
    assert run("keys", "list", "--tenant", "acme", "--limit", "1") == 0
    said = capsys.readouterr().out
    cursor = said.split("There are more: --cursor ")[1].split()[0]
    assert run("keys", "list", "--tenant", "acme", "--cursor", cursor) == 0

    assert (successor in said, key_id in said, key_id in capsys.readouterr().out) == (True, False, True)


def fact(capsys, name: str) -> str:
    """One that was shown since this was last asked."""
    lines = capsys.readouterr().out.splitlines()
    return next(line.split()[-1] for line in lines if line.startswith(f"{name} "))


def test_tenants_and_sites_are_tables(run, capsys):
    furnish(run)
    capsys.readouterr()

    assert run("tenants", "list") == 0
    assert run("sites", "list", "--tenant", "acme") == 0

    said = capsys.readouterr().out
    assert "id    name           tier" in said
    assert "site_acme  acme       Main  pro" in said


@pytest.mark.parametrize("hours", ["-1", "721", "soon"])
def test_a_grace_that_makes_no_sense_is_told_by_the_line_itself(database_url, capsys, hours):
    with pytest.raises(SystemExit):
        main(["keys", "rotate", "key_1", "--grace-hours", hours, "--database", database_url])

    assert "--grace-hours" in capsys.readouterr().err


def test_a_site_is_of_its_tenant_s_tier_until_the_line_says_another(run, capsys):
    furnish(run)
    assert "tier       pro\n" in capsys.readouterr().out.split("site_id")[1]

    assert run("sites", "add", "site_2", "--name", "Two", "--tenant", "acme", "--tier", "enterprise") == 0
    assert "tier       enterprise\n" in capsys.readouterr().out


def test_jobs_are_a_table(run, capsys):
    furnish(run)
    capsys.readouterr()

    assert run("jobs", "list", "--status", "pending") == 0
    assert "id  status  tenant_id" in capsys.readouterr().out


def test_how_the_schema_stands_is_asked_on_either_arm(run, capsys):
    assert run("migrations", "status") == 0
    assert "applied  0001_tenants.sql" in capsys.readouterr().out


def test_a_command_without_an_arm_in_the_cloud_does_not_fall_upon_the_database_here(capsys):
    assert main(["--stack", "millrace-test", "migrations", "up"]) == 1
    assert capsys.readouterr().err.startswith("millrace: --stack: this command acts on a database")


@pytest.mark.parametrize("command", [["redrive"], ["migrations", "status"], ["migrations", "up"]])
def test_a_line_that_names_a_stack_and_a_database_makes_no_sense(database_url, command, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--stack", "millrace-test", *command, "--database", database_url])

    assert ended.value.code == 2
    assert "--stack and --database" in capsys.readouterr().err


def test_what_is_refused_is_said_in_one_line(database_url, capsys):
    code = main(["keys", "issue", "--tenant", "x", "--user", "u", "--name", "n", "--database", database_url])

    assert code == 1
    assert capsys.readouterr().err.startswith("millrace: There is no tenant x.")


@pytest.mark.parametrize("words", [["jobs", "show", "j"], ["jobs", "retry", "j"], ["jobs", "cancel", "j"]])
def test_a_job_that_is_not_there_is_named(database_url, capsys, words):
    assert main([*words, "--database", database_url]) == 1
    assert capsys.readouterr().err == "millrace: There is no job j.\n"


def test_books_that_agree_are_one_line(run, capsys):
    furnish(run)
    capsys.readouterr()

    assert run("quotas", "verify") == 0
    assert "evaluations: no drift. Counters compared with ledger and jobs: 0.\n" in capsys.readouterr().out


def test_a_drift_is_told_with_what_each_says_and_the_charges_that_are_wrong(run, capsys, db):
    add_house(db)
    job_id = accept_job(db, add_lead(db))
    db.prepare("DELETE FROM quota_entries").run()

    assert run("quotas", "verify") == 1

    told = capsys.readouterr().out.split("drift in 1 of 1 counters.\n")[1]
    assert [line.split() for line in told.splitlines() if line] == [
        "subject period counter_says ledger_says jobs_say wrong_charges".split(),
        "site_a 2025-12 1 0 1 1".split(),
        "Charges that are not as the job says:".split(),
        "job_id charge_round subject period ledger_says jobs_say".split(),
        f"{job_id} 0 site_a 2025-12 nothing reserve".split(),
        "gpu_seconds: no drift. Counters compared with ledger and jobs: 0.".split(),
        "spend: no drift. Counters compared with ledger and jobs: 0.".split(),
        "daily usage: no drift. Counters compared with ledger and jobs: 0.".split(),
    ]


def test_of_many_drifts_the_first_are_shown_and_the_others_counted(monkeypatch, capsys):
    drift = {"subject": "site_a", "period": "2025-12", "counter_says": 1, "ledger_says": 0, "jobs_say": 0}
    meter = {"meter": "evaluations", "counters": 9, "drifting": 3, "drifts": [drift | {"wrong_charges": 0}]}
    monkeypatch.setattr(quotas, "perform", lambda *_: {"meters": [meter | {"charges": []}]})

    assert main(["quotas", "verify"]) == 1
    assert capsys.readouterr().out.endswith("\nand 2 more\n")


def test_a_laptop_has_no_dead_letters_and_is_told_why(database_url, capsys):
    assert main(["redrive", "--database", database_url]) == 0

    said = capsys.readouterr()
    assert said.out.startswith("There are no dead letters here: the local doorbell delivers again by itself")
    assert (said.out.count("\n"), said.err) == (1, "")


@pytest.mark.parametrize(
    ("facts", "code", "said"),
    [
        ({"evaluation": 0}, 0, "evaluation  no dead letters\n"),
        (
            {"evaluation": 1, "story": 12},
            0,
            "evaluation  1 message goes back\nstory       about 12 messages go back\n",
        ),
    ],
)
def test_how_many_messages_go_back_is_said_by_kind(monkeypatch, capsys, facts, code, said):
    answer = {"put_back": facts, "not_put_back": {}}
    monkeypatch.setattr(redrive, "perform", lambda *_: answer)

    assert main(["--stack", "millrace-test", "redrive"]) == code
    assert capsys.readouterr().out == said


def test_a_kind_whose_messages_did_not_go_back_makes_the_command_fail(monkeypatch, capsys):
    answer = {"put_back": {"evaluation": 0}, "not_put_back": {"story": "SQS refused: closed"}}
    monkeypatch.setattr(redrive, "perform", lambda *_: answer)

    assert main(["--stack", "millrace-test", "redrive"]) == 1
    assert capsys.readouterr().out.endswith("story       failed: SQS refused: closed\n")
