"""`millrace …`: reads the line, runs the command, and says in one line what went wrong."""

import argparse
import os
import sys
from collections.abc import Sequence

from millrace.command import audit, backup, copy, jobs, keys, migrations, quotas, redrive, schema, tenants
from millrace.command.options import open_env, without_password
from millrace.errors import CommandRefused, DatabaseUnavailable, MillraceError

# Each adds its commands to the parser; help lists them in this order.
NOUNS = (migrations, schema, backup, copy, tenants, keys, jobs, quotas, audit, redrive)

DESCRIPTION = "Look after a Millrace database: its schema, its data, its jobs."
EPILOGUE = """
Every command says more with --help. Exit codes: 0 done; 1 refused or failed, with the reason on standard
error; 2 the line itself makes no sense.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. The exit code."""
    given = read_line(arguments)
    try:
        if given.stack and not getattr(given, "takes_stack", False):
            raise CommandRefused("--stack: this command acts on a database that this machine reaches itself")
        exit_code: int = given.run(given)
        sys.stdout.flush()
    except DatabaseUnavailable as error:
        where = f" ({without_password(open_env(given).config.database_url)})" if "database" in given else ""
        print(f"millrace: the database does not answer: {reason_of(error)}{where}", file=sys.stderr)
        return 1
    except MillraceError as error:
        print(f"millrace: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Who reads has heard enough, as `head` does. What is still to be written goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # A file or a folder that the line names.
        named = f"{error.strerror}: {error.filename}" if error.filename else error
        print(f"millrace: {named}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("millrace: stopped", file=sys.stderr)
        return 130
    return exit_code


def reason_of(error: DatabaseUnavailable) -> str:
    """In the database's own words, which a server gives among other facts."""
    cause = error.__cause__ or error
    facts = cause.args[0] if cause.args else None
    return str(facts.get("M")) if isinstance(facts, dict) else str(cause)


def read_line(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = build_parser()
    given = parser.parse_args(arguments)
    if given.stack and getattr(given, "database", None):
        parser.error("--stack and --database: a command acts on one of them")
    return given


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="millrace", description=DESCRIPTION, epilog=EPILOGUE)
    parser.add_argument(
        "--stack", metavar="NAME", help="act on this CloudFormation stack, not on a database of this machine"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for noun in NOUNS:
        noun.add_to(commands)
    return parser
