"""`millrace backup` and `millrace restore`: a SQLite database, saved while it is used, and put back."""

import argparse
from pathlib import Path

from millrace import migrations
from millrace.command.migrations import say
from millrace.command.options import Commands, add_command, add_database, at_least_one, open_env

KEEP = 7


def add_to(commands: Commands) -> None:
    backup = add_command(
        commands,
        "backup",
        run=run_backup,
        says="save a SQLite database, also while jobs run",
        more="It is checked and compressed. Copying the file instead is no backup: docs/backup.md says why.",
    )
    add_database(backup)
    backup.add_argument("--to", type=Path, metavar="FOLDER", help="default: backups, beside the database")
    backup.add_argument(
        "--keep",
        type=at_least_one,
        metavar="N",
        default=KEEP,
        help=f"delete all but the last N; default {KEEP}",
    )
    restore = add_command(
        commands,
        "restore",
        run=run_restore,
        says="put a backup in a SQLite database's place",
        more="The backup is checked first. What was there stays beside it, as NAME.replaced.",
    )
    restore.add_argument("backup", type=Path, metavar="FILE", help="a file that `millrace backup` wrote")
    add_database(restore)
    restore.add_argument("--force", action="store_true", help="also if there is a database already")


def run_backup(given: argparse.Namespace) -> int:
    env = open_env(given)
    path = migrations.backup(
        env.config.database_url, now=env.now(), keep=given.keep, folder=given.to, report=say
    )
    say(f"Saved: {path} ({path.stat().st_size:,} bytes)")
    return 0


def run_restore(given: argparse.Namespace) -> int:
    env = open_env(given)
    migrations.restore(given.backup, env.config.database_url, force=given.force, report=say)
    say(f"Restored: {migrations.path_of(env.config.database_url)}")
    return 0
