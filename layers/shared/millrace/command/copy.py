"""`millrace copy`: move from SQLite to PostgreSQL, and know that nothing was lost."""

import argparse
import sys
from pathlib import Path

from millrace import env
from millrace.command.options import LOCAL_DATABASE, MIGRATIONS, ROOT, Commands, add_command, at_least_one
from millrace.env import ask_for_password
from millrace.migrations import cutover

REJECTS = ROOT / ".millrace/cutover-rejects.jsonl"
MORE = """
Interrupted, even by kill -9, it goes on where it stopped when the same command is run again. The target must
have been migrated and not been used. Exit code 0: every row was copied and both sides have the same hashes;
1: refused, rows were rejected, or the sides differ. See docs/cutover.md: what to stop first, how to go back.
"""


def add_to(commands: Commands) -> None:
    copy = add_command(
        commands, "copy", run=run_copy, says="copy SQLite to PostgreSQL, and compare", more=MORE
    )
    copy.add_argument(
        "--from", dest="source", metavar="URL", default=LOCAL_DATABASE, help="sqlite:///absolute/path.db"
    )
    copy.add_argument(
        "--to",
        dest="target",
        metavar="URL",
        help="postgresql://owner:password@host:port/name; without it the variable DATABASE_URL",
    )
    copy.add_argument(
        "--rejects",
        metavar="FILE",
        type=Path,
        default=REJECTS,
        help="where the rows that cannot be copied are written, each with its reason; --verify-only reads it "
        "and counts them as rejected (%(default)s)",
    )
    copy.add_argument(
        "--chunk-rows",
        metavar="N",
        type=at_least_one,
        default=cutover.CHUNK_ROWS,
        help="rows that are committed together (%(default)s)",
    )
    instead = copy.add_mutually_exclusive_group()
    instead.add_argument(
        "--dry-run", action="store_true", help="convert every row and write only the rejects file"
    )
    instead.add_argument("--verify-only", action="store_true", help="compare both sides and write nothing")


def run_copy(given: argparse.Namespace) -> int:
    # Where neither the line nor the environment names a target, this one is refused, with what to say.
    surroundings = env.for_command(database_url=given.target, otherwise=LOCAL_DATABASE)
    config = surroundings.config
    with cutover.open_sides(
        given.source,
        config.database_url,
        folder=MIGRATIONS,
        now=surroundings.now,
        progress=cutover.Progress(sys.stderr, now=surroundings.now),
        user=config.database_user,
        password=ask_for_password(config),
        tls=config.database_tls,
    ) as sides:
        report = carry_out(given, sides)
        print("\n".join(report.lines()))
        if report.rejected and not given.verify_only:
            print(f"The rejected rows, each with its reason: {given.rejects}")
        sys.stdout.flush()
        if not (given.dry_run or given.verify_only):
            cutover.finish(sides, report)
    return 1 if report.rejected or report.differing else 0


def carry_out(given: argparse.Namespace, sides: cutover.Sides) -> cutover.Report:
    if given.verify_only:
        return cutover.verify(sides, rejects=given.rejects)
    if given.dry_run:
        return cutover.rehearse(sides, rejects=given.rejects)
    return cutover.copy(sides, rejects=given.rejects, chunk_rows=given.chunk_rows)
