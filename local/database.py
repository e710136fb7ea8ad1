"""The local cloud's database: brought up to date at each start, and who may log in to it."""

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pg8000.exceptions import DatabaseError as ServerError

from local.settings import ROOT, Settings
from millrace import migrations
from millrace.bindings.postgres import PostgresDatabase
from millrace.errors import DatabaseUnavailable

logger = logging.getLogger("local")

ROLES = ("millrace_api", "millrace_engine")
# A lock held for less is not worth a word.
PATIENCE_SECONDS = 1.0


def migrate(settings: Settings) -> None:
    say_if_locked(settings)
    migrations.up(settings.database, folder=ROOT / "migrations", now=datetime.now(UTC), report=logger.info)


def say_if_locked(settings: Settings) -> None:
    """Tell whom a start on SQLite waits for. A server's runners tell it themselves."""
    parts = urlsplit(settings.database)
    path = Path(unquote(parts.path))
    if parts.scheme != "sqlite" or not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            logger.warning("%s is locked by another program: waiting for it ...", path)


def why(error: BaseException) -> str:
    """The words of what first went wrong: what stands above it was written for a client of the API."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, ServerError):
        return str(error.args[0].get("M", error))
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def roles_can_log_in(settings: Settings) -> bool:
    """Whether functions can be who the template says. They cannot where a server wants passwords."""
    if urlsplit(settings.database).scheme == "sqlite":
        return False
    try:
        for role in ROLES:
            PostgresDatabase(settings.database, user=role).connect().close()
    except DatabaseUnavailable:
        logger.warning("%s cannot log in here: row-level security is not in force.", " and ".join(ROLES))
        return False
    return True
