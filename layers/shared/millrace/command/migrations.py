"""`millrace migrations …`: bring a database's schema up to date, or say how it stands."""

import argparse
from collections.abc import Iterable

from millrace import migrations
from millrace.bindings.operator import DeployedStack
from millrace.command.arms import MIGRATE
from millrace.command.options import (
    MIGRATIONS,
    Commands,
    add_command,
    add_database,
    add_noun,
    at_least_one,
    open_env,
    without_password,
)
from millrace.env import Env, ask_for_password
from millrace.migrations.targets import Login


def add_to(commands: Commands) -> None:
    noun = add_noun(commands, "migrations", says="bring the schema up to date, or say how it stands")
    up = add_command(
        noun,
        "up",
        run=run_up,
        says="apply what is pending",
        more="Each file is one transaction: one that fails leaves the database as it was before it.",
    )
    down = add_command(
        noun,
        "down",
        run=run_down,
        says="roll the last file back, or the last N",
        more="What is in the tables and columns it removes is gone: where there are rows it wants --force.",
    )
    down.add_argument(
        "count", metavar="N", nargs="?", type=at_least_one, default=1, help="how many; default 1"
    )
    down.add_argument("--force", action="store_true", help="also where that deletes rows")
    for moving in (up, down):
        moving.add_argument("--dry-run", action="store_true", help="print the SQL and change nothing")
    status = add_command(
        noun, "status", run=run_status, says="list the files; exit code 1 when one is pending"
    )
    verify = add_command(
        noun,
        "verify",
        run=run_verify,
        says="compare the database with what the migrations make; exit code 1 when they differ",
        more="Tables, columns, types, defaults, rules, indexes, triggers, views and who may do what.",
    )
    status.set_defaults(takes_stack=True)
    for acting in (up, down, status, verify):
        add_database(acting)
    new = add_command(noun, "new", run=run_new, says="begin a migration file with the next number")
    new.add_argument("name", metavar="NAME", help="what it does: add_rent_to_leads")
    new.add_argument(
        "--only-for", choices=("postgres", "sqlite"), default=".", help="the one database that needs it"
    )


def run_up(given: argparse.Namespace) -> int:
    env = open_env(given)
    url, login = env.config.database_url, login_of(env)
    if given.dry_run:
        plan = migrations.check(migrations.read_plan(url, folder=MIGRATIONS, **login))
        return print_sql((file.name, file.up.text) for file in plan.pending)
    done = migrations.up(url, folder=MIGRATIONS, now=env.now(), report=say, **login)
    say(f"Applied: {len(done)}." if done else "Nothing to do: the schema is up to date.")
    return 0


def run_down(given: argparse.Namespace) -> int:
    env = open_env(given)
    url, login = env.config.database_url, login_of(env)
    if given.dry_run:
        plan = migrations.check(migrations.read_plan(url, folder=MIGRATIONS, **login))
        last = plan.applied[::-1][: given.count]
        return print_sql((file.name, file.down.text) for file in last)
    say(f"On {without_password(url)}:")
    done = migrations.down(
        url, folder=MIGRATIONS, count=given.count, keep_rows=not given.force, report=say, **login
    )
    say(f"Rolled back: {len(done)}." if done else "Nothing to do: no migration is applied.")
    return 0


def run_status(given: argparse.Namespace) -> int:
    found = read_status(given)
    for word, names in (("applied", found.applied), ("pending", found.pending)):
        for name in names:
            say(f"{word}  {name}")
    for problem in found.problems:
        say(f"problem  {problem}.")
    return 1 if found.pending or found.problems else 0


def read_status(given: argparse.Namespace) -> migrations.Status:
    """Of a stack, as the function that migrates it sees it: with the files it was deployed with."""
    if given.stack:
        return migrations.Status(
            **DeployedStack(given.stack).command("migrations status", {}, output=MIGRATE)
        )
    env = open_env(given)
    return migrations.status(env.config.database_url, folder=MIGRATIONS, **login_of(env))


def run_verify(given: argparse.Namespace) -> int:
    env = open_env(given)
    differences = migrations.verify(env.config.database_url, folder=MIGRATIONS, **login_of(env))
    for difference in differences:
        say(difference)
    say(f"Differences: {len(differences)}." if differences else "The schema is what the migrations make.")
    return 1 if differences else 0


def run_new(given: argparse.Namespace) -> int:
    say(str(migrations.create(given.name, folder=MIGRATIONS, only_for=given.only_for)))
    return 0


def login_of(env: Env) -> Login:
    return {
        "user": env.config.database_user,
        "password": ask_for_password(env.config),
        "tls": env.config.database_tls,
    }


def print_sql(files: Iterable[tuple[str, str]]) -> int:
    for name, text in files:
        print(f"-- {name}\n\n{text}\n")
    return 0


def say(line: str) -> None:
    """At once, also into a pipe: a long migration is being watched."""
    print(line, flush=True)
