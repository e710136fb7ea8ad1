"""Saves the local cloud's database once a day, if it was asked to."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from local.settings import Settings
from millrace import migrations
from millrace.errors import BackupFailed

logger = logging.getLogger("local")

DAY = timedelta(days=1)
AFTER_A_FAILURE = timedelta(hours=1)
KEEP = 7


class DailyBackups:
    """A day after the last one, however often the local cloud was restarted since."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self._settings = settings
        self._now = now
        self._stopped = threading.Event()

    def start(self) -> None:
        if self._settings.backup_daily:
            threading.Thread(target=self._keep_saving, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def save_if_due(self) -> datetime:
        """When to look again."""
        last = migrations.last_backup_at(self._settings.database)
        if last is not None and self._now() < last + DAY:
            return last + DAY
        try:
            path = migrations.backup(self._settings.database, now=self._now(), keep=KEEP)
        except (BackupFailed, OSError) as error:
            logger.warning("No backup was made: %s. The next try is in an hour.", error)
            return self._now() + AFTER_A_FAILURE
        logger.info("Saved: %s", path)
        return self._now() + DAY

    def _keep_saving(self) -> None:
        due = self._now()
        while not self._stopped.wait(max(0.0, (due - self._now()).total_seconds())):
            due = self.save_if_due()
