"""Part of every deployment: the schema goes up before the functions change, and never down."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from millrace import entry, migrations
from millrace.env import Env, ask_for_password
from millrace.errors import CommandRefused, ConfigurationInvalid, DatabaseUnavailable, MigrationInvalid
from millrace.migrations.history import Plan
from millrace.migrations.roles import admit_roles

# A file that says so may take longer than a deployment waits: docs/migrations.md tells what then.
BY_HAND = "-- millrace: by hand"
# Each waits for five seconds while a sleeping database wakes up.
MOST_CALLS = 12


def bring_up(env: Env) -> None:
    """For a release older than the schema nothing is pending: then nothing is done, nor found fault with."""
    where = target_of(env)
    plan = wake(where)
    if plan.applied:
        refuse_long_ones(plan)
    if plan.pending:
        for name in migrations.up(**where, now=env.now(), report=report):
            entry.log("migration_applied", migration=name)
    admit_roles(**{name: value for name, value in where.items() if name != "folder"})


def report(progress: str) -> None:
    entry.log("migration_progress", said=progress)


def wake(where: Mapping[str, Any]) -> Plan:
    """Files against history, however often the database must be called for that."""
    for _ in range(MOST_CALLS):
        with suppress(DatabaseUnavailable):
            return migrations.read_plan(**where)
    return migrations.read_plan(**where)


def refuse_long_ones(plan: Plan) -> None:
    """A new database is empty: there nothing takes long."""
    named = [file.name for file in plan.pending if BY_HAND in file.up.text]
    if named:
        raise MigrationInvalid(
            f"{', '.join(named)}: to be run by hand before this deployment. Nothing was done."
        )


def answer(command: str, _arguments: Mapping[str, Any], env: Env) -> dict[str, Any]:
    if command != "migrations status":
        raise CommandRefused(f"The function `migrate` knows no command {command!r}.")
    return asdict(migrations.status(**target_of(env)))


def target_of(env: Env) -> dict[str, Any]:
    """Which database, by whose login, and where the files are."""
    config = env.config
    if config.migrations_folder is None:
        raise ConfigurationInvalid("MIGRATIONS_FOLDER is missing: this function needs the files")
    return {
        "database_url": config.database_url,
        "folder": Path(config.migrations_folder),
        "user": config.database_user,
        "password": ask_for_password(config),
        "tls": config.database_tls,
    }


handler = entry.worker(deploy=bring_up, command=answer)
