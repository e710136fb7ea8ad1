"""The local cloud's database: brought up to date at each start, and who may log in to it."""

import logging
from datetime import UTC, datetime
from urllib.parse import urlsplit

from local.settings import ROOT, Settings
from millrace import migrations
from millrace.bindings.postgres import PostgresDatabase
from millrace.errors import DatabaseUnavailable

logger = logging.getLogger("local")

ROLES = ("millrace_api", "millrace_engine")


def migrate(settings: Settings) -> None:
    for name in migrations.up(settings.database, folder=ROOT / "migrations", now=datetime.now(UTC)):
        logger.info("Migrated: %s", name)


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
