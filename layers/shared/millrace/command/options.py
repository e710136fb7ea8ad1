"""What many commands share: which database they act on, and the Env that reaches it."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from millrace import env
from millrace.env import Env

ROOT = Path(__file__).resolve().parents[4]
MIGRATIONS = ROOT / "migrations"
# Where `make run` keeps its data.
LOCAL_DATABASE = f"sqlite://{ROOT / '.millrace/millrace.db'}"

# What `add_to` is given: the commands of the level above.
Commands = Any
Run = Callable[[argparse.Namespace], int]


def add_command(commands: Commands, name: str, *, run: Run, says: str, more: str = "") -> Any:
    """One command with its help: `says` is the line in the list, `more` follows it on the command's own page.

    `run` is given the parsed line and returns the exit code.
    """
    parser = commands.add_parser(name, help=says, description=f"{says[0].upper()}{says[1:]}. {more}".strip())
    parser.set_defaults(run=run)
    return parser


def add_noun(commands: Commands, name: str, *, says: str) -> Commands:
    """A command that is only the beginning of others: `millrace keys issue`. Returns where to add those."""
    parser = commands.add_parser(name, help=says, description=f"{says[0].upper()}{says[1:]}.")
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def add_database(parser: Any) -> None:
    parser.add_argument(
        "--database",
        metavar="URL",
        help="sqlite:///absolute/path.db or postgresql://user:password@host:port/name; without it the "
        "variable DATABASE_URL, else the local file .millrace/millrace.db",
    )


def at_least_one(text: str) -> int:
    """For an argument that counts."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


def open_env(given: argparse.Namespace) -> Env:
    """The Env of a command with `add_database`: env.DB is the database the line names."""
    return env.for_command(database_url=given.database, otherwise=LOCAL_DATABASE)


def without_password(url: str) -> str:
    return re.sub(r"(//[^:/@]*):.*@", r"\1@", url)
