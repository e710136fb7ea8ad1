"""What the files in events/ speak of: a fresh database with the demo's data and one job that waits."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from local import demo_data
from local.database import migrate
from local.settings import ROOT, Settings, local_variables, read_links_secret
from local.template import Function
from millrace.env import Env
from millrace.store import evaluations

WAITING_JOB = "job_example"
WAITING_LEAD = "lead_001"


class Scene:
    """A database and a bucket in a folder of their own; or a database of the user's, taken as it stands."""

    def __init__(self, folder: Path, *, database_url: str | None = None):
        self._settings = Settings(data=folder, database_url=database_url)
        self._pristine = folder / "pristine.db"
        self._links_secret = read_links_secret(folder)
        if database_url is None:
            self._furnish()

    def reset(self) -> None:
        """Make everything as it was, also for a process that has the database open."""
        with closing(sqlite3.connect(self._pristine)) as before, closing(self._open()) as now:
            before.backup(now)

    def variables_of(self, function: Function) -> Mapping[str, str]:
        """The function's environment in this scene. Nobody hears a doorbell here, so there is none."""
        variables = local_variables(
            function.environment, settings=self._settings, links_secret=self._links_secret, roles=False
        )
        if "MIGRATIONS_FOLDER" in variables:
            variables["MIGRATIONS_FOLDER"] = str(ROOT / "migrations")
        return {name: value for name, value in variables.items() if not name.startswith("QUEUE_URL_")}

    def _furnish(self) -> None:
        migrate(self._settings)
        demo_data.load(self._settings)
        env = Env.from_variables({"DATABASE_URL": self._settings.database})
        order = evaluations.Order(
            tenant_id="tenant_demo", site_id="site_abc", lead_id=WAITING_LEAD,
            requested_by="user_xyz", model_version="local/rules", force_refresh=False,
        )  # fmt: skip
        evaluations.create(env.DB, order, job_id=WAITING_JOB, now=datetime.now(UTC), key=None)
        env.close()
        with closing(self._open()) as now, closing(sqlite3.connect(self._pristine)) as before:
            now.backup(before)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._settings.database.removeprefix("sqlite://"))
