"""The wire of PostgreSQL: pg8000's connection, taught to send many statements under one Sync."""

import json
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from pg8000 import core

from millrace.bindings.database import Meta, Result, Statement, placeholders, to_json
from millrace.errors import ValueNotStorable

SYNC = core.SYNC_MSG
# Describe and execute the unnamed portal, asking for all its rows.
DESCRIBE_AND_EXECUTE = core._create_message(core.DESCRIBE, b"P\x00") + core.EXECUTE_MSG
_message: Callable[[bytes, bytes], bytes] = core._create_message

# The parameter's type by its Python type; without them PostgreSQL guesses from context, and guesses differ.
TEXT, BOOL, INT8, FLOAT8, BYTEA, TIMESTAMPTZ, DATE, JSONB, UNKNOWN = 25, 16, 20, 701, 17, 1184, 1082, 3802, 0

ENCODE: dict[type, tuple[int, Callable[[Any], str]]] = {
    bool: (BOOL, lambda value: "t" if value else "f"),
    int: (INT8, int.__repr__),
    float: (FLOAT8, float.__repr__),
    str: (TEXT, str.__str__),
    bytes: (BYTEA, lambda value: "\\x" + value.hex()),
    datetime: (TIMESTAMPTZ, lambda value: value.astimezone(UTC).isoformat()),
    date: (DATE, date.isoformat),
    dict: (JSONB, to_json),
    list: (JSONB, to_json),
}

DECODE: dict[int, Callable[[str], Any]] = {
    BOOL: lambda text: text == "t",
    BYTEA: lambda text: bytes.fromhex(text[2:]),
    DATE: date.fromisoformat,
    TIMESTAMPTZ: datetime.fromisoformat,
    **dict.fromkeys((INT8, 23, 21, 26), int),
    **dict.fromkeys((FLOAT8, 700), float),
    **dict.fromkeys((TEXT, 1043, 1042, 19, 18, 705), str),
    **dict.fromkeys((JSONB, 114), json.loads),
}


@lru_cache(maxsize=1)
def ssl_context() -> ssl.SSLContext:
    """Made once: reading the certificate authorities takes longer than connecting."""
    return ssl.create_default_context()


class Connection(core.CoreConnection):  # type: ignore[misc]  # pg8000 has no types
    """One session of one server."""

    def __init__(self, user: str, *, timeout: float, answer_seconds: float | None, **options: Any):
        """`answer_seconds`: how long the server may take over a statement. None: as long as it likes."""
        patience = str(int((answer_seconds or 0) * 1000))
        started_with = {"TimeZone": "UTC", "DateStyle": "ISO", "statement_timeout": patience}
        options |= {"startup_params": started_with, "application_name": "millrace"}
        super().__init__(user, timeout=timeout, **options)
        self.last_used = time.monotonic()
        self._usock.settimeout(answer_seconds and answer_seconds + 2)
        # Without it the last packet of a message over 8 KiB waits 40 ms for an acknowledgement.
        self._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def is_stale(self, *, idle_seconds: float) -> bool:
        """Idle for long, or readable while idle: then the server has hung up or is about to."""
        if time.monotonic() - self.last_used > idle_seconds:
            return True
        return bool(select.select([self._usock], [], [], 0)[0])

    def run_pipeline(self, statements: Sequence[Statement], *, results: list[Result]) -> None:
        """Send all, then read all. What was answered before an error is in `results`."""
        self._usock.sendall(b"".join([*map(_messages, statements), SYNC]))
        reading = _Reading(results)
        code = None
        while code != core.READY_FOR_QUERY:
            code, size = core.ci_unpack(core._read(self._sock, 5))
            data = core._read(self._sock, size - 4)
            if handle := ANSWERS.get(code):
                handle(reading, data)
            else:
                self.message_types[code](data, reading)
        if reading.error is not None:
            raise reading.error


class _Reading:
    """The answers to a pipeline as they come in: the statement being answered, and those before it."""

    def __init__(self, results: list[Result]):
        self.results = results
        self.error: Exception | None = None
        self._forget()

    def describe(self, data: bytes) -> None:
        place = 2
        for _ in range(core.H_unpack(data)[0]):
            end = data.index(0, place)
            # A column may name its type for SQLite: "oldest [TIMESTAMPTZ]".
            self._columns.append(data[place:end].decode().partition(" [")[0])
            oid = struct.unpack_from("!i", data, end + 7)[0]
            self._decoders.append(DECODE.get(oid) or _refuse(oid, column=self._columns[-1]))
            place = end + 19

    def add_row(self, data: bytes) -> None:
        place, values = 2, []
        for decode in self._decoders:
            size = core.i_unpack(data, place)[0]
            place += 4
            values.append(None if size < 0 else decode(data[place : place + size].decode()))
            place += max(size, 0)
        self._tuples.append(tuple(values))

    def complete(self, data: bytes) -> None:
        """`INSERT 0 3`, `UPDATE 3`, `SELECT 3`: rows read are no changes."""
        words = data[:-1].split()
        written = words[-1:] if words and words[0] in (b"INSERT", b"UPDATE", b"DELETE", b"MERGE") else [b"0"]
        self.results.append(Result(tuple(self._columns), self._tuples, Meta(int(written[0]), 0.0)))
        self._forget()

    def ignore(self, data: bytes) -> None:
        """Parsed, bound, nothing to describe: the statement's own answer follows."""

    def _forget(self) -> None:
        self._columns: list[str] = []
        self._decoders: list[Callable[[str], Any]] = []
        self._tuples: list[tuple[Any, ...]] = []


ANSWERS: dict[bytes, Callable[[_Reading, bytes], None]] = {
    core.PARSE_COMPLETE: _Reading.ignore,
    core.BIND_COMPLETE: _Reading.ignore,
    core.NO_DATA: _Reading.ignore,
    core.ROW_DESCRIPTION: _Reading.describe,
    core.DATA_ROW: _Reading.add_row,
    core.COMMAND_COMPLETE: _Reading.complete,
    core.EMPTY_QUERY_RESPONSE: _Reading.complete,
}


def _refuse(oid: int, *, column: str) -> Callable[[str], Any]:
    def refuse(_: str) -> Any:
        raise ValueNotStorable(f"column {column} has a type (oid {oid}) without a like on SQLite: cast it")

    return refuse


def _messages(statement: Statement) -> bytes:
    """Parse, Bind, Describe and Execute of one statement, all unnamed."""
    oids, texts = [], []
    for value in statement.values:
        oid, encode = (UNKNOWN, str) if value is None else _encoding(type(value))
        oids.append(oid)
        texts.append(None if value is None else encode(value).encode())
    parse = b"\x00" + placeholders(statement.sql).numbered.encode() + b"\x00" + _counted(oids)
    # Unnamed portal and statement; every value and every answer as text.
    bind = struct.pack("!xxHH", 0, len(texts)) + b"".join(map(_sized, texts)) + struct.pack("!H", 0)
    return b"".join((_message(core.PARSE, parse), _message(core.BIND, bind), DESCRIBE_AND_EXECUTE))


def _encoding(kind: type[Any]) -> tuple[int, Callable[[Any], str]]:
    """Of the type itself or of the one it derives from (an enumeration of texts is text)."""
    return next(ENCODE[ancestor] for ancestor in kind.__mro__ if ancestor in ENCODE)


def _counted(oids: list[int]) -> bytes:
    return struct.pack(f"!H{len(oids)}i", len(oids), *oids)


def _sized(text: bytes | None) -> bytes:
    return struct.pack("!i", -1) if text is None else struct.pack("!i", len(text)) + text
