"""`make run`: the whole system on this machine, from one command."""

import argparse
import errno
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local.rented import rented_gpu
from local.settings import PORT, ROOT, Settings
from local.terminal import GOODBYE, say, welcome
from millrace.domain.configuration import Config, read_config
from millrace.errors import ConfigurationInvalid

HOST = "127.0.0.1"
# A process that was killed a moment ago may still hold the port.
BIND_SECONDS = 3.0


def main() -> int:
    """Run until Ctrl-C. The exit code; without the supervisor the process ends here."""
    settings, how = read_arguments(sys.argv[1:])
    try:
        listener = listen(settings.port)
    except OSError as error:
        say(f"Port {settings.port} cannot be used: {error.strerror}. Another one: make run PORT=8788")
        return 1
    if listener is None:
        say(f"Port {settings.port} is taken: is Millrace running already? Another one: make run PORT=8788")
        return 1
    with rented_gpu():
        if how.reload:
            return supervise(settings, listener=listener)
        lifeline = sys.stdin.fileno() if how.until_stdin_ends else None
        status = serve_here(settings, listener=listener, lifeline=lifeline)
    from local.serve import leave

    return leave(status)


def supervise(settings: Settings, *, listener: socket.socket) -> int:
    """Have it served by a process that changes with the code."""
    from local.supervisor import Supervisor

    told = partial(welcome, settings, reload=True)
    status = Supervisor(settings, listener=listener, on_started=told).run()
    say(GOODBYE if status == 0 else f"Ended with status {status}.")
    return status


def serve_here(settings: Settings, *, listener: socket.socket, lifeline: int | None) -> int:
    """Serve in this process. The exit code."""
    from local.serve import Unready, serve

    try:
        told = partial(welcome, settings, reload=False)
        serve(settings, listener=listener, on_started=told, lifeline=lifeline)
    except Unready as error:
        say(str(error))
        return 1
    say(GOODBYE)
    return 0


@dataclass(frozen=True, slots=True)
class How:
    """`until_stdin_ends` is for whoever starts it and may be killed: it does not outlive them."""

    reload: bool
    until_stdin_ends: bool


def describe_arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.run", description="Run Millrace on this machine.")
    parser.add_argument(
        "--port", type=to_port, default=os.environ.get("PORT") or str(PORT), help=f"default {PORT}"
    )
    parser.add_argument(
        "--database", type=to_database_url, metavar="URL", help="postgresql://user:password@host:port/name"
    )
    parser.add_argument(
        "--public-url",
        type=to_public_url,
        metavar="URL",
        help="where a GPU that GPU_ENDPOINT_ID names reaches this machine, such as a tunnel's address",
    )
    parser.add_argument("--data", type=Path, default=ROOT / ".millrace", help="default: .millrace")
    parser.add_argument("--no-demo-data", action="store_true", help="load no tenants, leads and keys to try")
    parser.add_argument("--no-reload", action="store_true", help="leave changed code alone")
    parser.add_argument(
        "--no-doorbell", action="store_true", help="lose every doorbell: the schedule finds the work"
    )
    parser.add_argument(
        "--no-schedule", action="store_true", help="fire no schedule but by hand: the doorbell finds the work"
    )
    parser.add_argument(
        "--backup-daily", action="store_true", help="save the database once a day, into backups beside it"
    )
    parser.add_argument(
        "--until-stdin-ends", action="store_true", help="end with standard input; implies --no-reload"
    )
    return parser


def read_arguments(arguments: list[str]) -> tuple[Settings, How]:
    """What is to be served, and how."""
    parser = describe_arguments()
    given = parser.parse_args(arguments)
    if given.backup_daily and given.database:
        parser.error("--backup-daily is for the SQLite file in the data folder (see docs/backup.md)")
    settings = Settings(
        data=given.data.resolve(),
        port=given.port,
        public_url=given.public_url,
        database_url=given.database,
        demo_data=not given.no_demo_data,
        doorbell=not given.no_doorbell,
        schedule=not given.no_schedule,
        backup_daily=given.backup_daily,
    )
    reload = not (given.no_reload or given.until_stdin_ends)
    return settings, How(reload=reload, until_stdin_ends=given.until_stdin_ends)


def to_port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no port: say a number from 1 to 65535")
    return int(text)


def to_database_url(text: str) -> str:
    return checked({"DATABASE_URL": text}).database_url


def to_public_url(text: str) -> str | None:
    return checked({"DATABASE_URL": "sqlite:///any.db", "CALLBACK_URL": text}).callback_url


def checked(variables: Mapping[str, str]) -> Config:
    try:
        return read_config(variables)
    except ConfigurationInvalid as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def listen(port: int) -> socket.socket | None:
    """The socket that requests come in by. None when somebody else has the port."""
    give_up_at = time.monotonic() + BIND_SECONDS
    while True:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise
            if time.monotonic() > give_up_at:
                return None
            time.sleep(0.1)
        else:
            # Begun here: from now on a client waits instead of being turned away.
            listener.listen(1024)
            return listener


if __name__ == "__main__":
    # Until there is something to end in order, Ctrl-C just ends this process, without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
