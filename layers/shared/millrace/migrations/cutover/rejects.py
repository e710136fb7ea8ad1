"""The rejects file: JSON lines, each a row that stayed behind and the reason."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from millrace.errors import CutoverRefused
from millrace.migrations.cutover.rows import Converted, Rejected
from millrace.migrations.cutover.schema import Table


class RejectsFile:
    """It appears under its name whole or not at all; without a row in it there is none, nor an older one.

    Only its owner can read it: it holds people's data.
    """

    def __init__(self, path: Path):
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.part")

    def check(self) -> None:
        """CutoverRefused when it cannot be written: better known before than when all is copied."""
        self._open().close()
        self._unfinished.unlink()

    def __enter__(self) -> Self:
        self._file = self._open()
        return self

    def add(self, table: Table, row: Rejected) -> None:
        self.write(f"{row.to_json(table)}\n".encode())

    def write(self, line: bytes) -> None:
        self._file.write(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
            is_empty = self._file.tell() == 0
        if kind is None and not is_empty:
            self._unfinished.replace(self._path)
            return
        self._unfinished.unlink()
        if kind is None:
            self._path.unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        try:
            if self._path.is_dir():
                raise IsADirectoryError("it is a folder")
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._unfinished.unlink(missing_ok=True)
            return os.fdopen(os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        except OSError as error:
            raise CutoverRefused(f"the rejects cannot be written to {self._path}: {error}") from error


class LeftBehind:
    """Which rows of a table a copy wrote to its rejects file. Both are read once, in the order of rowids."""

    def __init__(self, path: Path, table: Table):
        self._path = path
        self._table = table
        self._lines = self._read()
        self._next = next(self._lines, None)

    def has(self, row: Converted) -> bool:
        """Asked for each row in turn. Not one that is no longer as it was."""
        while self._next and self._next["rowid"] < row.rowid:
            self._next = next(self._lines, None)
        if self._next is None or self._next["rowid"] > row.rowid:
            return False
        now = Rejected(row.rowid, row.values, self._next["reason"], self._next["column"])
        return bool(json.loads(now.to_json(self._table)) == self._next)

    def _read(self) -> Iterator[dict[str, Any]]:
        begin = json.dumps({"table": self._table.name})[:-1].encode()
        try:
            with self._path.open("rb") as file:
                for line in file:
                    if line.startswith(begin):
                        yield parse(line)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise CutoverRefused(f"{self._path} is no rejects file of a copy: {error}") from error


def parse(line: bytes) -> dict[str, Any]:
    read = json.loads(line)
    if missing := {"rowid", "reason", "column", "row"} - set(read):
        raise ValueError(f"a line without {', '.join(sorted(missing))}")
    return dict(read)
