"""`make run`: the whole system on this machine, from one command."""

import argparse
import errno
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from local.serve import Unready, leave, serve
from local.settings import PORT, ROOT, Settings
from local.supervisor import Supervisor, say

HOST = "127.0.0.1"
# A process that was killed a moment ago may still hold the port.
BIND_SECONDS = 3.0

WELCOME = """
Millrace serves on {url}   (Ctrl-C ends it; changed code is taken up at once)

Ask for an evaluation:

  curl -X POST {url}/api/ops/leads/lead_123/ai-evaluation \\
    -H "X-Site-Id: site_abc" \\
    -H "X-User-Id: user_xyz" \\
    -H "Authorization: Bearer test-token" \\
    -H "Content-Type: application/json" \\
    -d '{{}}'

and for its result, with the job_id from the answer:

  curl {url}/api/ops/ai-evaluation-jobs/JOB_ID \\
    -H "X-Site-Id: site_abc" -H "X-User-Id: user_xyz" -H "Authorization: Bearer test-token"

More leads to try: lead_001 to lead_030. Everything at once, in another terminal: make demo
Fire the schedule now: curl "{url}/__scheduled"
The data: {database}
"""

GOODBYE = "Millrace has stopped. What was accepted is kept, and goes on at the next start."


def main() -> int:
    """Run until Ctrl-C. The exit code; without the supervisor the process ends here."""
    settings, how = read_arguments(sys.argv[1:])
    listener = listen(settings.port)
    if listener is None:
        say(f"Port {settings.port} is taken: is Millrace running already? Another one: make run PORT=8788")
        return 1
    if how.reload:
        status = Supervisor(settings, listener=listener, on_started=lambda: welcome(settings)).run()
        say(GOODBYE if status == 0 else f"Ended with status {status}.")
        return status
    return serve_here(
        settings, listener=listener, lifeline=sys.stdin.fileno() if how.until_stdin_ends else None
    )


def serve_here(settings: Settings, *, listener: socket.socket, lifeline: int | None) -> int:
    """Serve in this process, which then ends. It returns only if it could not begin."""
    try:
        serve(settings, listener=listener, on_started=lambda: welcome(settings), lifeline=lifeline)
    except Unready as error:
        say(str(error))
        return 1
    say(GOODBYE)
    return leave()


@dataclass(frozen=True, slots=True)
class How:
    """`until_stdin_ends` is for whoever starts it and may be killed: it does not outlive them."""

    reload: bool
    until_stdin_ends: bool


def read_arguments(arguments: list[str]) -> tuple[Settings, How]:
    """What is to be served, and how."""
    parser = argparse.ArgumentParser(prog="python -m local.run", description="Run Millrace on this machine.")
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("PORT") or PORT), help=f"default {PORT}"
    )
    parser.add_argument("--database", metavar="URL", help="postgresql://user:password@host:port/name")
    parser.add_argument("--data", type=Path, default=ROOT / ".millrace", help="default: .millrace")
    parser.add_argument("--no-demo-data", action="store_true", help="load no tenants, leads and keys to try")
    parser.add_argument("--no-reload", action="store_true", help="leave changed code alone")
    parser.add_argument(
        "--no-doorbell", action="store_true", help="lose every doorbell: the schedule finds the work"
    )
    parser.add_argument(
        "--until-stdin-ends", action="store_true", help="end with standard input; implies --no-reload"
    )
    given = parser.parse_args(arguments)
    settings = Settings(
        data=given.data.resolve(),
        port=given.port,
        database_url=given.database,
        demo_data=not given.no_demo_data,
        doorbell=not given.no_doorbell,
    )
    reload = not (given.no_reload or given.until_stdin_ends)
    return settings, How(reload=reload, until_stdin_ends=given.until_stdin_ends)


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


def welcome(settings: Settings) -> None:
    print(WELCOME.format(url=settings.url, database=shown(settings)), flush=True)


def shown(settings: Settings) -> str:
    """Where the data is, without the password that a URL may hold."""
    return (settings.database_url or str(settings.data / "millrace.db")).rpartition("@")[2]


if __name__ == "__main__":
    sys.exit(main())
