"""The process that serves: prepares the data, starts the local cloud, and ends it when told to."""

import logging
import os
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import NoReturn

import uvicorn

from local import demo_data
from local.cloud import Cloud
from local.database import migrate, roles_can_log_in, why
from local.intrinsics import TemplateInvalid
from local.server import Application
from local.settings import DRAIN_SECONDS, Settings
from local.template import read_template
from millrace.errors import DatabaseError, DatabaseUnavailable, MillraceError

logger = logging.getLogger("local")


class Unready(Exception):
    """The local cloud cannot be started as it is. The message says what to mend."""


class Server(uvicorn.Server):
    """uvicorn, but a signal is an order to end well and not also the way to die."""

    def __init__(self, cloud: Cloud, *, on_started: Callable[[], None]):
        self._cloud = cloud
        self._application = Application(cloud)
        self._on_started = on_started
        super().__init__(
            uvicorn.Config(
                self._application,
                log_config=None,
                access_log=False,
                lifespan="on",
                # Requests come from this machine, and what they say of another one need not be true.
                proxy_headers=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._application.hurry()
        if waiting := len(self.server_state.tasks):
            logger.info("Requests in hand: %d. Waiting %d seconds at most ...", waiting, DRAIN_SECONDS)
        await super().shutdown(sockets)

    def handle_exit(self, _sig: int, _frame: FrameType | None) -> None:
        self.end()

    def end(self) -> None:
        self.should_exit = True
        self._cloud.take_no_more()


def serve(
    settings: Settings,
    *,
    listener: socket.socket,
    on_started: Callable[[], None],
    lifeline: int | None = None,
) -> None:
    """Serve until told to end. Raises Unready.

    `lifeline` is a pipe that closes when the process that started this one is gone.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logger.setLevel(logging.INFO)
    server = Server(prepare(settings), on_started=on_started)
    if lifeline is not None:
        threading.Thread(target=_end_with, args=[lifeline, server], daemon=True).start()
    server.run(sockets=[listener])


def prepare(settings: Settings) -> Cloud:
    """Everything up to serving. Raises Unready."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        migrate(settings)
        if settings.demo_data:
            demo_data.load(settings)
        return Cloud(read_template(settings.template), settings=settings, roles=roles_can_log_in(settings))
    except (DatabaseUnavailable, DatabaseError, sqlite3.Error) as error:
        raise Unready(f"Cannot start: the database {settings.database_shown}: {why(error)}") from error
    except (MillraceError, TemplateInvalid, OSError) as error:
        raise Unready(f"Cannot start: {error}") from error


def leave(status: int = 0) -> NoReturn:
    """End the process, even when a handler still hangs in its thread."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)


def _end_with(lifeline: int, server: Server) -> None:
    os.read(lifeline, 1)
    server.end()


def main() -> None:
    """Begun by the supervisor, which passes the settings, the listening socket and two pipes."""
    settings, listener_fd, started_fd, lifeline_fd = sys.argv[1:]

    def say_started() -> None:
        os.write(int(started_fd), datetime.now(UTC).isoformat().encode())
        os.close(int(started_fd))

    try:
        serve(
            Settings.of_json(settings),
            listener=socket.socket(fileno=int(listener_fd)),
            on_started=say_started,
            lifeline=int(lifeline_fd),
        )
    except Unready as error:
        sys.exit(str(error))
    leave()


if __name__ == "__main__":
    main()
