"""The rejects file: JSON lines, each a row that stayed behind and the reason."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from millrace.migrations.cutover.rows import Rejected
from millrace.migrations.cutover.schema import Table


class RejectsFile:
    """It appears under its name whole or not at all. Only its owner can read it: it holds people's data."""

    def __init__(self, path: Path):
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.part")

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._unfinished.unlink(missing_ok=True)
        self._file = os.fdopen(os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        return self

    def add(self, table: Table, row: Rejected) -> None:
        self.write(f"{row.to_json(table)}\n".encode())

    def write(self, line: bytes) -> None:
        self._file.write(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if kind is None:
            self._unfinished.replace(self._path)
