"""Backups of a SQLite database: made while jobs run, checked, compressed, and put back."""

import glob
import gzip
import hashlib
import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote, urlsplit

from millrace.errors import BackupFailed
from millrace.migrations import dangling
from millrace.migrations.targets import Report, say_nothing

NAME_TIME = "%Y%m%dT%H%M%SZ"
PAGES_A_STEP = 1_000
CHUNK = 1 << 20
# Beside the database while its write-ahead log is in use.
COMPANIONS = ("", "-wal", "-shm")


def backup(
    database_url: str, *, now: datetime, keep: int, folder: Path | None = None, report: Report = say_nothing
) -> Path:
    """Write a backup and return its path; older ones beyond `keep` are deleted once it is there.

    It holds what was committed when it began. Writers are not held up. The folder is `backups` beside
    the database if none is named.
    """
    path = path_of(database_url)
    if not path.exists():
        raise BackupFailed(f"there is no database {path}")
    folder = folder or folder_beside(path)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{_name_for(path)}-{now.astimezone(UTC).strftime(NAME_TIME)}.db.gz"
    with _claimed(folder / f"{name}.copy.partial") as copy, _partial(folder / f"{name}.partial") as packed:
        if (folder / name).exists():
            raise BackupFailed(f"{folder / name} is there already: there is one backup a second")
        _copy(path, copy, report=report)
        check(copy, report=report)
        _compress(copy, packed, report=report)
        packed.replace(folder / name)
    _sync(folder)
    _prune(folder, path=path, keep=keep, report=report)
    return folder / name


def restore(source: Path, database_url: str, *, force: bool = False, report: Report = say_nothing) -> None:
    """Put a backup in the database's place, after checking it. BackupFailed: nothing was changed.

    What was there is kept beside it, as NAME.replaced, or NAME.replaced-2 when there is one already.
    """
    path = path_of(database_url)
    there = any(path.with_name(path.name + ending).exists() for ending in COMPANIONS)
    if there and not force:
        raise BackupFailed(f"{path} is there already; --force puts it aside and the backup in its place")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _partial(path.with_name(f"{path.name}.restoring.partial")) as unpacked:
        _decompress(source, unpacked, report=report)
        check(unpacked, report=report)
        if there:
            _put_aside(path)
        unpacked.replace(path)
    _sync(path.parent)


def last_backup_at(database_url: str) -> datetime | None:
    """When the newest backup beside the database was begun. None: there is none."""
    path = path_of(database_url)
    names = [
        found.name.removeprefix(f"{_name_for(path)}-") for found in _find(folder_beside(path), path=path)
    ]
    return datetime.strptime(f"{names[-1]}+0000", f"{NAME_TIME}.db.gz%z") if names else None


def folder_beside(path: Path) -> Path:
    return path.parent / "backups"


def path_of(database_url: str) -> Path:
    parts = urlsplit(database_url)
    if parts.scheme != "sqlite":
        raise BackupFailed("this is for SQLite; what Aurora does instead is told in docs/backup.md")
    # Some write sqlite:////absolute/path.db; SQLite's own urls take no path that begins with two slashes.
    return Path("/", unquote(parts.path).lstrip("/"))


def check(path: Path, *, report: Report = say_nothing) -> None:
    """BackupFailed unless it is a whole database, and one of ours. Rows that point at nothing are told."""
    report("Checking it")
    try:
        with _opened(path) as connection:
            faults = [row[0] for row in connection.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
            if faults:
                raise BackupFailed(f"the database is damaged: {'; '.join(faults)}")
            connection.execute("SELECT version FROM schema_migrations LIMIT 1").fetchall()
            found = Counter(connection.execute(dangling.FIND))
    except sqlite3.Error as error:
        raise BackupFailed(f"it is no database of Millrace: {error}") from error
    for line in dangling.describe(found):
        report(f"CAREFUL: {line}")


def _copy(path: Path, copy: Path, *, report: Report) -> None:
    told = -1

    def tell(_status: int, remaining: int, total: int) -> None:
        nonlocal told
        tenth = 10 * (total - remaining) // max(total, 1)
        if tenth > told:
            told = tenth
            report(f"Copying: {10 * tenth} %")

    try:
        with _opened(path) as source, _opened(copy, mode="rwc") as target:
            # One view for all the steps. Without it each commit of a writer would begin the copy anew.
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_schema").fetchall()
            source.backup(target, pages=PAGES_A_STEP, progress=tell)
            # The copy is one file, without a log beside it.
            target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise BackupFailed(f"{path} cannot be copied: {error}") from error


def _compress(copy: Path, packed: Path, *, report: Report) -> None:
    report(f"Compressing {copy.stat().st_size:,} bytes")
    with copy.open("rb") as plain, packed.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6) as squeezed:
            _pour(plain, squeezed)
        file.flush()
        os.fsync(file.fileno())


def _decompress(source: Path, unpacked: Path, *, report: Report) -> None:
    report(f"Unpacking {source}")
    try:
        with gzip.open(source, "rb") as squeezed, unpacked.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            _pour(squeezed, file)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, EOFError, zlib.error) as error:
        raise BackupFailed(f"{source} cannot be unpacked: {error}") from error


def _pour(source: BinaryIO | gzip.GzipFile, target: BinaryIO | gzip.GzipFile) -> None:
    while chunk := source.read(CHUNK):
        target.write(chunk)


def _put_aside(path: Path) -> None:
    """Rename it, with its log if that cannot be folded in. BackupFailed while somebody has it open."""
    try:
        with _opened(path, mode="rwc") as connection:
            # Only its last user may do this: it is how SQLite tells us that nobody else is there.
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        raise BackupFailed(f"{path} is in use: stop what uses it first ({error})") from error
    except sqlite3.DatabaseError:
        # Damaged, so nobody can be using it; that is what backups are for.
        pass
    name = _unused_name(path)
    for ending in reversed(COMPANIONS):
        companion = path.with_name(path.name + ending)
        if companion.exists():
            companion.rename(path.with_name(name + ending))


def _unused_name(path: Path) -> str:
    """NAME.replaced, or NAME.replaced-2 and so on: what an earlier restore put aside stays."""
    names = chain([f"{path.name}.replaced"], (f"{path.name}.replaced-{number}" for number in count(2)))
    return next(name for name in names if not path.with_name(name).exists())


def _name_for(path: Path) -> str:
    """What its backups' names begin with: databases of the same name may share a folder."""
    return f"{path.stem}-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"


def _prune(folder: Path, *, path: Path, keep: int, report: Report) -> None:
    """Delete what is older than the last `keep` backups, and what runs that died left from before those."""
    oldest = _find(folder, path=path)[-keep:][0].name
    for found in _find(folder, path=path, ending="*"):
        if found.name < oldest:
            found.unlink()
            report(f"Deleted {found.name}")


def _find(folder: Path, *, path: Path, ending: str = "") -> list[Path]:
    """The database's whole backups, oldest first; with `*` also what is or was only begun."""
    return sorted(folder.glob(f"{glob.escape(_name_for(path))}-????????T??????Z.db.gz{ending}"))


@contextmanager
def _claimed(path: Path) -> Iterator[Path]:
    """A partial file that nobody else makes at the same moment."""
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError as error:
        raise BackupFailed(f"{path} is there already: another backup is being made") from error
    with _partial(path):
        yield path


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """A file by this name while it is made; nothing is left of it if it was not renamed by then."""
    try:
        yield path
    finally:
        for ending in (*COMPANIONS, "-journal"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


@contextmanager
def _opened(path: Path, *, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def _sync(folder: Path) -> None:
    """A rename is on disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
