"""The local cloud put together: functions, API, doorbells, schedules and bucket of one template."""

import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.backups import DailyBackups
from local.doorbell import Doorbells
from local.gateway import Gateway
from local.intrinsics import TemplateInvalid
from local.roster import Roster, give_back
from local.runtime import Runtime
from local.schedule import Schedules
from local.settings import Settings, gpu_variables, local_variables, model_variables, read_links_secret
from local.storage import Storage
from local.template import Function, Template
from millrace.bindings.folder import FolderBucket
from millrace.bindings.links import FolderLinks
from millrace.bindings.queue import InProcessQueue, NoQueue, Queue
from millrace.env import Env
from millrace.errors import DatabaseUnavailable

logger = logging.getLogger("local")

QUEUE_VARIABLE = "QUEUE_URL_"
GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Ring:
    """What a function's `env.QUEUE` does here: it puts messages into the queue that its variables name."""

    doorbells: Doorbells
    urls: dict[str, str]

    def __call__(self, kind: str, count: int, delay_seconds: int) -> None:
        for _ in range(count):
            self.doorbells.send(self.urls[kind], f'{{"kind": "{kind}"}}', delay_seconds=delay_seconds)


def lose(_kind: str, _count: int, _delay_seconds: int) -> None:
    """A doorbell that nobody hears."""


class Cloud:
    def __init__(self, template: Template, *, settings: Settings, roles: bool = False):
        self._settings = settings
        self._roles = roles
        self._scheduled = {schedule.function for schedule in template.schedules}
        self._links_secret = read_links_secret(settings.data)
        self.doorbells = Doorbells(template, invoke=self._invoke)
        self.roster = Roster(settings.data)
        try:
            self.runtime = Runtime(template.functions, env_of=self._env_of, roster=self.roster)
        except TemplateInvalid:
            self.roster.close()
            raise
        self.schedules = Schedules(template.schedules, invoke=self._invoke)
        self.backups = DailyBackups(settings)
        self.gateway = Gateway(template, runtime=self.runtime)
        self.storage = Storage(self._bucket())

    def start(self) -> None:
        self._give_back(self.roster.take_lost(), why="a process was killed")
        self.doorbells.start()
        if self._settings.schedule:
            self.schedules.start()
        self.backups.start()

    def take_no_more(self) -> None:
        """Begin nothing new. What rings from now on is found by the next start."""
        self.schedules.stop()
        self.backups.stop()
        self.doorbells.stop()

    def stop(self) -> int:
        """Let what runs finish, and give back the jobs of what does not. Answers how many runs did not."""
        self.take_no_more()
        unfinished = self.runtime.stop(grace_seconds=GRACE_SECONDS)
        if unfinished:
            self._give_back(self.roster.workers(), why="their runs did not end in time")
        self.roster.close()
        return unfinished

    def _give_back(self, worker_ids: list[str], *, why: str) -> None:
        if not worker_ids:
            return
        env = Env.from_variables({"DATABASE_URL": self._settings.database})
        try:
            logger.info("Jobs given back, because %s: %d", why, give_back(env, worker_ids))
        except DatabaseUnavailable:
            logger.warning(
                "The database does not answer: jobs held by nobody wait until their leases run out."
            )
        finally:
            env.close()

    def _invoke(self, function: str, event: Any) -> Any:
        return self.runtime.invoke(function, event)

    def _env_of(self, function: Function) -> Env:
        variables = local_variables(
            function.environment, settings=self._settings, links_secret=self._links_secret, roles=self._roles
        )
        if "AI_MODELS" in variables:
            variables |= model_variables(os.environ)
        if variables.keys() & {"GPU_ENDPOINT_ID", "GPU_PRICE"}:
            variables |= gpu_variables(os.environ)
        if "LIMITED_KINDS" in variables:
            variables["LIMITED_KINDS"] = os.environ.get("LIMITED_KINDS", "")
        urls = {
            name.removeprefix(QUEUE_VARIABLE).lower(): url
            for name, url in variables.items()
            if name.startswith(QUEUE_VARIABLE)
        }
        return Env.from_variables(variables, QUEUE=self._queue_of(function, urls=urls))

    def _queue_of(self, function: Function, *, urls: dict[str, str]) -> Queue:
        """Where doorbells are to be lost, only what a schedule starts is heard: it rings for the others."""
        if not urls:
            return NoQueue()
        heard = self._settings.doorbell or function.name in self._scheduled
        return InProcessQueue(Ring(self.doorbells, urls) if heard else lose)

    def _bucket(self) -> FolderBucket:
        links = FolderLinks(f"{self._settings.links_url}/__bucket", self._links_secret)
        return FolderBucket(self._settings.bucket, now=lambda: datetime.now(UTC), links=links)
